import { create } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import {
  CensusChildSchema,
  CensusEvidenceSchema,
  TimeSpanSchema,
} from "../../../../gen/headwater/v1/store_pb.ts";
import { DocumentSchema } from "../../../../gen/headwater/v1/telemetry_pb.ts";
import { dayMs, minuteMs, reportIntervalMs } from "../../../../relay/cadence.ts";
import { censusWindowsMax } from "../../../../relay/limits.ts";
import { noWindow, slotAnswer } from "../../../../relay/telemetry/census/census-children.ts";
import { censusGraceMs, censusSkewMs } from "../../../../relay/telemetry/census/census-windows.ts";
import { CensusNode, CensusSite, census, project, windows } from "./census-site.ts";

const { openedMs, windowMs } = windows;
const fromMs = openedMs - dayMs / 2;
const sureMs = openedMs + windowMs + censusGraceMs + 2 * censusSkewMs;

/** Three nodes; whatever happens happens between reports of one instance at the first of them. */
class Story {
  readonly nodes: readonly [CensusNode, CensusNode, CensusNode];
  readonly site: CensusSite;
  #nowMs = fromMs;
  #losses = 0;

  constructor(of: { enrolled?: number } = {}) {
    const [a, b, c] = ["a", "b", "c"].map((name) => new CensusNode(name, fromMs)) as [
      CensusNode,
      CensusNode,
      CensusNode,
    ];
    this.nodes = [a, b, c];
    this.site = new CensusSite(this.nodes, { isLost: () => this.#losses-- > 0 });
    for (const node of this.nodes.slice(0, of.enrolled ?? 3)) node.enroll(fromMs);
    this.site.compare(fromMs);
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  /** So many messages are lost, each to one node. */
  lose(count: number): void {
    this.#losses = count;
  }

  /** Reports go to the first node that is up. */
  until(untilMs: number, instance: string | undefined = "i"): this {
    for (; this.#nowMs < untilMs; this.#nowMs += reportIntervalMs / 2) {
      this.site.look(this.#nowMs);
      const node = this.nodes.find(({ isUp }) => isUp);
      if (instance !== undefined) this.site.report(node!, { instance }, this.#nowMs);
      this.site.compare(this.#nowMs);
    }
    this.site.look(this.#nowMs);
    return this;
  }

  answers(window = 0): string[] {
    const up = this.nodes.filter(({ isUp }) => isUp);
    return up.map((node) => {
      const { answer, isExpelled } = node.answer(window, this.#nowMs);
      return isExpelled ? `${answer}, one left out` : answer;
    });
  }
}

const middleMs = openedMs + dayMs / 2;

describe("a site of three nodes", () => {
  test("says the same at each of them", () => {
    expect(new Story().until(sureMs).answers()).toEqual(["UNUSED", "UNUSED", "UNUSED"]);
    expect(new Story({ enrolled: 1 }).until(sureMs).answers()[2]).toBe("UNUSED");
  });

  test("knows what one of them has heard that is no more, though the fan-out lost the report", () => {
    const story = new Story().until(middleMs);
    story.lose(2);
    story.site.report(story.nodes[0], { instance: "i", isUsed: true, isLast: true }, story.nowMs);
    story.until(middleMs + minuteMs, undefined);
    story.nodes[0].isUp = false;
    expect(story.until(sureMs).answers()).toEqual(["USED", "USED"]);
  });

  test("does not know while one is silent, which may be cut off and hear apps all the same", () => {
    const story = new Story().until(middleMs);
    story.nodes[0].isUp = false;
    expect(story.until(sureMs).answers()).toEqual(["UNKNOWN", "UNKNOWN"]);
  });

  test.each<[string, (node: CensusNode, wallMs: number) => void]>([
    ["with its disk", (node, wallMs) => node.restart(wallMs)],
    ["without", (node, wallMs) => node.replace(wallMs)],
  ])("says as much when one is started anew %s", (_, start) => {
    const story = new Story().until(middleMs);
    story.nodes[0].isUp = false;
    story.until(middleMs + reportIntervalMs);
    start(story.nodes[0], story.nowMs);
    expect(story.until(sureMs).answers()).toEqual(["UNUSED", "UNUSED", "UNUSED"]);
  });

  test("leaves nobody out that was stopped", () => {
    const story = new Story().until(middleMs);
    story.site.stop(story.nodes[2], story.nowMs);
    expect(story.until(sureMs).answers()).toEqual(["UNUSED", "UNUSED"]);
  });

  test("may be started anew one by one, when each has two report intervals", () => {
    const story = new Story().until(openedMs + dayMs / 4);
    for (const node of story.nodes) {
      node.isUp = false;
      story.until(story.nowMs + reportIntervalMs);
      node.restart(story.nowMs);
      story.until(story.nowMs + 2 * censusGraceMs);
    }
    expect(story.until(sureMs).answers()).toEqual(["UNUSED", "UNUSED", "UNUSED"]);
    const hasty = new Story().until(middleMs);
    for (const node of hasty.nodes) {
      node.restart(hasty.nowMs);
      hasty.until(hasty.nowMs + reportIntervalMs);
    }
    expect(hasty.until(sureMs).answers()).toEqual(["UNKNOWN", "UNKNOWN", "UNKNOWN"]);
  });

  test("does not know when one is gone of which not all was heard", () => {
    const story = new Story().until(middleMs);
    story.lose(2);
    story.site.report(story.nodes[0], { instance: "new" }, story.nowMs);
    story.until(middleMs + reportIntervalMs);
    story.nodes[0].isUp = false;
    expect(story.until(sureMs).answers()).toContain("UNKNOWN");
  });

  test("waits for one that lives and has told nothing", () => {
    const story = new Story().until(sureMs - reportIntervalMs);
    story.nodes[2].isCutOff = true;
    story.until(sureMs + minuteMs);
    expect(story.answers().slice(0, 2)).toEqual(["UNKNOWN", "UNKNOWN"]);
    const silent = new Story().until(sureMs);
    silent.nodes[0].look(silent.nowMs, ["b", "c", "telemetry-off"]);
    expect(silent.nodes[0].answer(0, silent.nowMs).answer).toBe("UNKNOWN");
  });

  test("hears of what was used at one that was cut off, once it is back", () => {
    const story = new Story().until(middleMs);
    story.site.cut(story.nodes[2], true, story.nowMs);
    story.site.report(story.nodes[2], { instance: "new", isUsed: true }, story.nowMs);
    story.until(sureMs + censusGraceMs);
    expect(story.answers()[0]).toBe("UNKNOWN");
    story.site.cut(story.nodes[2], false, story.nowMs);
    story.until(story.nowMs + reportIntervalMs);
    expect(story.answers()).toEqual(["USED", "USED", "USED"]);
  });
});

test("time that two nodes have watched meets only where it does by either clock", () => {
  const story = new Story().until(sureMs);
  const [a, b] = story.nodes;
  const meetsMs = openedMs + dayMs / 2;
  const recordOf = (node: string, watched: readonly (readonly [number, number])[]) =>
    create(CensusEvidenceSchema, {
      project: project.name,
      name: `feature/old-api/${openedMs}`,
      windowMs: BigInt(windowMs),
      node,
      toldMs: BigInt(sureMs),
      watched: watched.map(([from, to]) => ({ fromMs: BigInt(from), toMs: BigInt(to) })),
    });
  for (const [overlapMs, answer] of [
    [2 * censusSkewMs - 1, "UNKNOWN"],
    [2 * censusSkewMs, "UNUSED"],
  ] as const) {
    a.replace(story.nowMs);
    a.enroll(story.nowMs);
    const evidence = [
      recordOf("x", [[fromMs, meetsMs + overlapMs]]),
      recordOf("y", [[meetsMs, sureMs + minuteMs]]),
    ];
    a.look(story.nowMs);
    a.hearSite({ evidence }, story.nowMs);
    expect(a.answer(0, story.nowMs).answer).toBe(answer);
  }
  expect(b.answer(0, story.nowMs).answer).toBe("UNUSED");
});

test("of a window that was over before it took part a site says nothing, of a later one a word", () => {
  const endMs = openedMs + windowMs;
  const slotAt = (enrolledMs: number) => {
    const node = new CensusNode("a", enrolledMs);
    node.enroll(enrolledMs);
    node.look(sureMs);
    return node.document(sureMs).census[0];
  };
  const said = { window: 0, answer: slotAnswer("UNKNOWN") };
  expect(slotAt(endMs + censusSkewMs)).toMatchObject(said);
  expect(slotAt(endMs + censusSkewMs + 1)).toMatchObject({ ...said, window: noWindow });
});

describe("what another node says of", () => {
  const good = (): ReturnType<typeof create<typeof CensusEvidenceSchema>> =>
    create(CensusEvidenceSchema, {
      project: project.name,
      name: `feature/old-api/${openedMs}`,
      windowMs: BigInt(windowMs),
      node: "b",
      toldMs: BigInt(openedMs),
      used: [0],
    });
  const heldAfter = (spoil: (one: ReturnType<typeof good>) => void): number => {
    const node = new CensusNode("a");
    node.enroll(openedMs);
    node.look(openedMs);
    const record = good();
    spoil(record);
    node.hearSite({ evidence: [record] }, openedMs);
    return node.told.evidence.length;
  };

  test.each<[string, (one: ReturnType<typeof good>) => void]>([
    ["nobody", (one) => (one.node = "")],
    ["another project", (one) => (one.project = "nova")],
    ["a question that is not asked", (one) => (one.name = "feature/new-api/1")],
    ["the future", (one) => (one.toldMs = BigInt(openedMs + dayMs))],
    ["windows without end", (one) => (one.doubted = Array(censusWindowsMax + 1).fill(1))],
    [
      "watching in the future",
      (one) => (one.watched = [create(TimeSpanSchema, { toMs: 2n ** 60n })]),
    ],
  ])("%s is not taken", (_, spoil) => {
    expect(heldAfter(() => {})).toBe(1);
    expect(heldAfter(spoil)).toBe(0);
  });

  test("children is joined in whatever order, and often", () => {
    const [one, other] = [new CensusNode("a"), new CensusNode("b")];
    const say = (node: CensusNode, child: string, answer: "USED" | "UNUSED", window: number) => {
      const slot = { openedMs: census.openedMs, window: 0, answer: slotAnswer(answer) };
      const said = { project: project.name, kind: "WEIGHTS", window: BigInt(window) };
      const document = create(DocumentSchema, { ...said, windowMs: 1_000, census: [slot] });
      node.keep(node.census.hearChild(child, document, openedMs));
    };
    say(one, "x", "USED", 1);
    say(other, "x", "UNUSED", 2);
    say(other, "y", "UNUSED", 1);
    for (let round = 0; round < 2; round++) {
      one.hearSite(other.told, openedMs);
      other.hearSite(one.told, openedMs);
    }
    const sorted = ({ told }: CensusNode) =>
      told.censusChildren.toSorted((a, b) => (a.child < b.child ? -1 : 1));
    expect(sorted(one)).toEqual(sorted(other));
    const said = one.answer(0, sureMs);
    expect([said.answer, said.childrenCount]).toEqual(["USED", 2]);
    const late = create(CensusChildSchema, { project: project.name, child: "a/b" });
    one.hearSite({ censusChildren: [late] }, openedMs);
    expect(one.told.censusChildren).toHaveLength(2);
  });
});
