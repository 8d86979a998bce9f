import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { CensusChildSchema } from "../../../../gen/headwater/v1/store_pb.ts";
import { CensusSlotSchema, DocumentSchema } from "../../../../gen/headwater/v1/telemetry_pb.ts";
import { dayMs } from "../../../../relay/cadence.ts";
import type { Records } from "../../../../relay/durable.ts";
import { censusesOpenMax, receivedPerProjectMax } from "../../../../relay/limits.ts";
import type { CensusAnswer } from "../../../../relay/telemetry/census/census-answer.ts";
import {
  CensusChildren,
  noWindow,
  slotAnswer,
} from "../../../../relay/telemetry/census/census-children.ts";
import { documentProblem } from "../../../../relay/telemetry/document-problem.ts";
import { epochMs } from "../../authority.ts";
import { growth } from "../../growth.ts";
import { weightsDocument } from "../fixture.ts";

const windowMs = 30 * dayMs;
const asked = { project: "horizon", openedMs: epochMs, windowMs, window: 0 };

type Slot = MessageInitShape<typeof CensusSlotSchema>;

function slotOf(answer: CensusAnswer, window = 0): Slot {
  return { openedMs: BigInt(epochMs), window, answer: slotAnswer(answer), expelled: 0 };
}

function documentOf(window: number, census: readonly Slot[]) {
  const said = { project: "horizon", kind: "WEIGHTS", window: BigInt(window), windowMs: 1_000 };
  return create(DocumentSchema, { ...said, census: [...census] });
}

/** Children that have said something in turn. */
class Heard {
  readonly stored = new Map<string, Uint8Array>();
  readonly children = new CensusChildren(this.#records);
  #documentsCount = 0;

  say(child: string, slots: readonly Slot[], wallMs: number = epochMs): this {
    const document = documentOf(++this.#documentsCount, slots);
    const heard = this.children.hear(child, document, wallMs);
    for (const { key, value } of heard.writes) if (value !== undefined) this.stored.set(key, value);
    heard.accept();
    return this;
  }

  /** The same, read from the disk. */
  get restarted(): CensusChildren {
    return new CensusChildren(this.#records);
  }

  get #records(): Records {
    return new Map([["census-child", this.stored]]);
  }
}

test("what children say of other projects makes no question of one take longer", () => {
  const times = growth({ few: 50, many: 1_000 }, (count) => () => {
    const children = new CensusChildren(new Map());
    const projects = Array.from({ length: count }, (_, n) => `p-${n}`);
    for (const project of projects)
      for (let n = 0; n < 30; n++)
        children
          .hear(`child-${n}`, { ...documentOf(1, [slotOf("UNUSED")]), project }, epochMs)
          .accept();
    const counts = projects.map((project) => children.said({ ...asked, project }).length);
    expect(new Set(counts)).toEqual(new Set([30]));
  });
  expect(times).toBeLessThan(80);
});

test("a child that never took part is none, and one that has not answered is not known", () => {
  const heard = new Heard().say("plain", [{ answer: 0 }]).say("waits", [{ answer: 2 }]);
  expect(heard.children.said(asked)).toMatchObject([{ window: -1, answer: "UNKNOWN" }]);
});

test("the last word of a window counts, but what was used stays used, also after a restart", () => {
  const heard = new Heard()
    .say("one", [slotOf("UNKNOWN")])
    .say("one", [slotOf("UNUSED")])
    .say("two", [slotOf("USED")])
    .say("two", [slotOf("UNUSED")]);
  const answers = (of: CensusChildren) => of.said(asked).map(({ answer }) => answer);
  expect(answers(heard.children)).toEqual(["UNUSED", "USED"]);
  expect(answers(heard.restarted)).toEqual(["UNUSED", "USED"]);
  expect(heard.children.said({ ...asked, window: 1 }).map(({ answer }) => answer)).toEqual([
    "UNKNOWN",
    "UNKNOWN",
  ]);
});

test("a child that came after a window had begun can not say that nothing was used in it", () => {
  const heard = new Heard()
    .say("early", [{ answer: 2 }], epochMs)
    .say("late", [{ answer: 2 }], epochMs + 1)
    .say("late", [slotOf("UNUSED")], epochMs + windowMs);
  const answers = (window: number) =>
    heard.children.said({ ...asked, window }).map(({ answer }) => answer);
  expect(answers(0)).toEqual(["UNKNOWN", "UNKNOWN"]);
  heard.say("early", [slotOf("UNUSED"), slotOf("UNUSED", 1)]);
  heard.say("late", [slotOf("UNUSED", 1)]);
  expect([answers(0), answers(1)]).toEqual([
    ["UNUSED", "UNKNOWN"],
    ["UNUSED", "UNUSED"],
  ]);
  heard.say("late", [slotOf("USED")]);
  expect(answers(0)).toEqual(["UNUSED", "USED"]);
});

test("a child whose first documents were lost counts for what it saw, and for no more", () => {
  const after = epochMs + windowMs + 1;
  const saying = (answer: CensusAnswer) =>
    new Heard().say("one", [slotOf(answer)], after).children.said(asked);
  expect(saying("USED")).toMatchObject([{ window: 0, answer: "USED" }]);
  expect(saying("UNKNOWN")).toMatchObject([{ window: 0, answer: "UNKNOWN" }]);
  expect(saying("UNUSED")).toEqual([]);
  expect(new Heard().say("one", [{ answer: 2 }], after).children.said(asked)).toEqual([]);
});

test("children that there is no room for are one that never answers, also after a restart", () => {
  const heard = new Heard();
  const many = Array.from({ length: receivedPerProjectMax }, (_, n) =>
    create(CensusChildSchema, { child: `c-${n}`, project: "horizon", heardMs: BigInt(epochMs) }),
  );
  const hearing = heard.children.heard(many, epochMs);
  for (const { key, value } of hearing.writes) heard.stored.set(key, value!);
  hearing.accept();
  heard
    .say("c-0", [slotOf("UNUSED")])
    .say("more", [slotOf("UNUSED")])
    .say("most", [slotOf("USED")]);
  for (const children of [heard.children, heard.restarted]) {
    const said = children.said(asked);
    expect(said).toHaveLength(receivedPerProjectMax + 1);
    expect(said.filter(({ answer }) => answer === "UNKNOWN")).toHaveLength(receivedPerProjectMax);
    expect(said.at(-1)).toMatchObject({ answer: "UNKNOWN", window: -1 });
  }
});

test("a child that left is asked for nothing that began after it had gone for a window", () => {
  const heard = new Heard().say("one", [slotOf("UNUSED")]).say("one", [{ answer: 0 }], epochMs + 1);
  expect(heard.children.said(asked)).toHaveLength(1);
  expect(heard.children.said({ ...asked, window: 3 })).toEqual([]);
});

test("what is no answer is not known, and a slot without a question or a window says nothing", () => {
  const heard = new Heard().say("one", [
    { ...slotOf("UNUSED"), answer: 9 },
    { ...slotOf("USED"), openedMs: 0n },
    { ...slotOf("USED"), window: noWindow },
    {},
  ]);
  expect(heard.children.said(asked)).toMatchObject([{ window: 0, answer: "UNKNOWN" }]);
  expect(heard.children.shared[0]?.record.words).toHaveLength(1);
});

test("one document answers each question once for its parent: of two answers the stronger counts", () => {
  for (const slots of [
    [slotOf("UNUSED"), slotOf("USED")],
    [slotOf("USED"), slotOf("UNUSED")],
  ])
    expect(new Heard().say("one", slots).children.said(asked)).toMatchObject([{ answer: "USED" }]);
});

test("words for windows without end push out no more than those of their own question", () => {
  const other = { ...asked, openedMs: epochMs + 1 };
  const heard = new Heard().say("one", [{ ...slotOf("USED"), openedMs: BigInt(other.openedMs) }]);
  for (let window = 0; window < 100; window++) heard.say("one", [slotOf("UNUSED", window)]);
  expect(heard.children.shared[0]?.record.words.length).toBeLessThan(6);
  expect(heard.children.said(other)).toMatchObject([{ answer: "USED" }]);
  expect(heard.children.said({ ...asked, window: 99 })).toMatchObject([{ answer: "UNUSED" }]);
});

test.each<[string, Slot[], RegExp]>([
  [
    "more of them than there are",
    Array.from({ length: censusesOpenMax + 1 }, () => ({})),
    /^census: /,
  ],
  ["an answer that is none", [{}, { answer: 9 }], /^census\[1\]\.answer: /],
  ["an expulsion that is none", [{ expelled: 7 }], /^census\[0\]/],
])("slots with %s are refused, and the field is named", (_, census, problem) => {
  const document = weightsDocument({ "2.0": 10_000 });
  expect(documentProblem(document, epochMs)).toBeUndefined();
  document.census = census.map((slot) => create(CensusSlotSchema, slot));
  expect(documentProblem(document, epochMs)).toMatch(problem);
});
