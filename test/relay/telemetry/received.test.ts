import { create } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { ReceivedDocumentSchema } from "../../../gen/headwater/v1/store_pb.ts";
import { type Document, DocumentSchema } from "../../../gen/headwater/v1/telemetry_pb.ts";
import { dayMs } from "../../../relay/cadence.ts";
import { groupRecords } from "../../../relay/durable.ts";
import { receivedPerProjectMax, vocabularyWordsMax } from "../../../relay/limits.ts";
import { Received, receivedWrite } from "../../../relay/telemetry/received.ts";
import { epochMs, refusalOf, valueOf } from "../authority.ts";
import { growth } from "../growth.ts";
import { healthDocument, hourMs, weightsDocument } from "./fixture.ts";

const window = Math.floor(epochMs / dayMs);
const asked = { project: "horizon", kind: "WEIGHTS", wallMs: epochMs, sinceMs: 0 } as const;

describe("a parent keeps one document for each child and window", () => {
  test("a repeat is ignored, an older one too, a newer one takes its place", () => {
    const received = new Received(new Map());
    expect(hear(received, "a", weightsDocument({ "1.0": 500 }, { window }))).toBe("taken");
    expect(hear(received, "a", weightsDocument({ "1.0": 900 }, { window }))).toBe("REPEATED");
    expect(hear(received, "a", weightsDocument({}, { window: window - 1 }))).toBe("REPEATED");
    expect(hear(received, "b", weightsDocument({}, { window }))).toBe("taken");
    expect(hear(received, "a", weightsDocument({ "2.0": 500 }, { window: window + 1 }))).toBe(
      "taken",
    );
    expect(childrenOf(received)).toEqual(["a 2.0", "b "]);
  });

  test("kinds do not get in each other's way", () => {
    const received = new Received(new Map());
    hear(received, "a", weightsDocument({}));
    expect(hear(received, "a", healthDocument({}))).toBe("taken");
  });

  test("is not deaf to a child whose windows have become longer: their starts count", () => {
    const received = new Received(new Map());
    const hourly = Math.floor(epochMs / hourMs);
    hear(received, "a", weightsDocument({ "1.0": 500 }, { window: hourly, windowMs: hourMs }));
    expect(hear(received, "a", weightsDocument({}, { window }))).toBe("REPEATED");
    expect(hear(received, "a", weightsDocument({ "2.0": 500 }, { window: window + 1 }))).toBe(
      "taken",
    );
    expect(childrenOf(received)).toEqual(["a 2.0"]);
  });

  test("and knows it after a restart", () => {
    const received = new Received(new Map());
    const record = valueOf(received.prepare("a", weightsDocument({ "1.0": 500 }), epochMs));
    if (record === "REPEATED") throw new Error("nothing was received before");
    const records = receivedWrite(record).map(({ bucket, key, value }) => ({
      bucket,
      key,
      value: value!,
    }));
    const restarted = new Received(groupRecords(records));
    expect(childrenOf(restarted)).toEqual(["a 1.0"]);
    expect(hear(restarted, "a", weightsDocument({}))).toBe("REPEATED");
  });

  test("what came while both clocks were ahead does not count, nor keeps out what comes then", () => {
    const received = new Received(new Map());
    const aheadMs = epochMs + 300 * dayMs;
    const ahead = weightsDocument({ "1.0": 500 }, { window: Math.floor(aheadMs / dayMs) });
    received.accept(prepared(received, "a", ahead, aheadMs));
    received.accept(prepared(received, "silent", ahead, aheadMs));
    expect(childrenOf(received)).toEqual([]);
    expect(hear(received, "a", weightsDocument({ "2.0": 500 }, { window }))).toBe("taken");
    expect(hear(received, "a", weightsDocument({ "2.0": 500 }, { window }))).toBe("REPEATED");
    expect(childrenOf(received)).toEqual(["a 2.0"]);
  });

  test("until it is accepted nothing counts", () => {
    const received = new Received(new Map());
    valueOf(received.prepare("a", weightsDocument({}), epochMs));
    expect(childrenOf(received)).toEqual([]);
    expect(hear(received, "a", weightsDocument({}))).toBe("taken");
  });
});

describe("documents that count", () => {
  const received = new Received(new Map());
  hear(received, "a", weightsDocument({}));

  test.each([
    [0, [0]],
    [dayMs - 1, [0]],
    [dayMs, [1]],
    [4 * dayMs - 1, [3]],
    [4 * dayMs, []],
  ])("%i ms later are so many windows old", (laterMs, ages) => {
    const found = received.of({ ...asked, wallMs: epochMs + laterMs });
    expect(found.map(({ windowsOld }) => windowsOld)).toEqual(ages);
  });

  test("are of the project and kind, and from after the time that is asked for", () => {
    expect(received.of({ ...asked, project: "oslo" })).toEqual([]);
    expect(received.of({ ...asked, kind: "HEALTH" })).toEqual([]);
    expect(received.of({ ...asked, sinceMs: epochMs })).toHaveLength(1);
    expect(received.of({ ...asked, sinceMs: epochMs + 1 })).toEqual([]);
  });
});

test("what is held of other projects makes no question about one take longer", () => {
  const times = growth({ few: 50, many: 1_000 }, (count) => {
    const projects = Array.from({ length: count }, (_, n) => `p-${n}`);
    const received = new Received(new Map());
    for (const project of projects)
      for (let n = 0; n < 30; n++)
        hear(received, `child-${n}`, { ...weightsDocument({}), project });
    return () => {
      const counts = projects.map((project) => received.of({ ...asked, project }).length);
      expect(new Set(counts)).toEqual(new Set([30]));
    };
  });
  expect(times).toBeLessThan(80);
});

describe("a hostile document is refused, and the field is named", () => {
  const words = (count: number, name = "x") =>
    Array.from({ length: count }, () => ({ $typeName: "headwater.v1.Weight" as const, name }));

  test.each<[string, Partial<Document>]>([
    ["kind", { kind: "RUMOUR" }],
    ["kind", { kind: "constructor" }],
    ["disclosure", { disclosure: "OFF" }],
    ["window_ms", { windowMs: 999 }],
    ["window_ms", { windowMs: 8 * dayMs }],
    ["window: from the future", { window: BigInt(window + 3) }],
    ["window: from the future", { window: 2n ** 64n - 1n }],
    ["window: from long ago", { window: BigInt(window - 6) }],
    ["weights: missing", { weights: undefined } as never],
    ["weights.flags: too many", weights({ flags: words(vocabularyWordsMax + 2) })],
    [
      "weights.releases[0].basis_points",
      weights({ releases: [{ ...words(1)[0]!, basisPoints: 10_001 }] }),
    ],
    ["weights.failed[0].name", weights({ failed: words(1, "x".repeat(129)) })],
    ["weights.flags[1].name: said twice", weights({ flags: words(2) })],
    ["health: missing", { kind: "HEALTH" }],
  ])("%s", (field, wrong) => {
    const received = new Received(new Map());
    const document = create(DocumentSchema, { ...weightsDocument({ "1.0": 1 }), ...wrong });
    expect(refusalOf(received.prepare("a", document, epochMs))).toContain(`invalid: ${field}`);
  });

  test.each([
    ["health.arrival.basis_points", healthDocument({}, { arrived: 10_001 })],
    ["health.releases[0].name", healthDocument({ ["x".repeat(129)]: 1 })],
    ["health.flags: too many", judging(Array(1_000_000).fill("f"))],
    ["health.flags[1].name: said twice", judging(["f", "f"])],
    ["health.flags[0].name: longer", judging(["x".repeat(129)])],
  ])("%s of a health document", (field, document) => {
    const outcome = new Received(new Map()).prepare("a", document, epochMs);
    expect(refusalOf(outcome)).toContain(`invalid: ${field}`);
  });
});

describe("what is kept is bounded, and shared", () => {
  const of = (project: string): Document => ({ ...weightsDocument({ "1.0": 500 }), project });

  test("a child with more than its share makes room for one with less", () => {
    const received = new Received(new Map(), { heapBytesMax: 60_000 });
    const taken = Array.from({ length: 100 }, (_, n) => tried(received, "greedy", of(`p-${n}`)));
    expect(taken).toContain("taken");
    expect(tried(received, "greedy", of("another"))).toContain("limit: document: this child has");
    expect(tried(received, "modest", of("p-0"))).toBe("taken");
    const held = received.of({ ...asked, project: "p-0" }).map(({ child }) => child);
    expect(held).toEqual(["modest"]);
    const greedy = taken.filter((one) => one === "taken").length;
    const left = Array.from({ length: greedy }, (_, n) =>
      received.of({ ...asked, project: `p-${n}` }).some(({ child }) => child === "greedy"),
    ).filter(Boolean);
    expect(left).toHaveLength(greedy - 1);
  });

  test("what made room is gone after a restart, too", () => {
    const received = new Received(new Map(), { heapBytesMax: 12_000 });
    const stored = new Map<string, Uint8Array>();
    for (let n = 0; n < 20; n++) {
      const outcome = received.prepare(n < 10 ? "a" : `b-${n}`, of(`p-${n}`), epochMs);
      if (!outcome.ok || outcome.value === "REPEATED") continue;
      for (const { key, value } of receivedWrite(outcome.value))
        if (value === undefined) stored.delete(key);
        else stored.set(key, value);
      received.accept(outcome.value);
    }
    // One word each, and what is kept around it.
    expect(stored.size).toBe(9);
  });

  test("one project's children take nothing from another's; who counts no more makes room", () => {
    const received = new Received(new Map());
    for (let n = 0; n < receivedPerProjectMax; n++)
      hear(received, `child-${n}`, weightsDocument({}));
    expect(hear(received, "one more", of("oslo"))).toBe("taken");
    expect(tried(received, "one more", weightsDocument({}))).toContain("limit");
    const later = weightsDocument({}, { window: window + 5 });
    const outcome = received.prepare("one more", later, epochMs + 5 * dayMs);
    expect(outcome).toMatchObject({ ok: true, value: { dropped: ["horizon WEIGHTS child-0"] } });
  });

  test("of one message of another node no more is taken than there is room for", () => {
    const all = Array.from({ length: receivedPerProjectMax + 2 }, (_, n) =>
      create(ReceivedDocumentSchema, {
        child: `child-${n}`,
        atMs: BigInt(epochMs),
        document: weightsDocument({}),
      }),
    );
    expect(new Received(new Map()).heard(all, epochMs)).toHaveLength(receivedPerProjectMax);
  });
});

function tried(received: Received, child: string, document: Document): string {
  const outcome = received.prepare(child, document, epochMs);
  return outcome.ok ? hear(received, child, document) : refusalOf(outcome);
}

function prepared(received: Received, child: string, document: Document, wallMs: number) {
  const record = valueOf(received.prepare(child, document, wallMs));
  if (record === "REPEATED") throw new Error("it is a repetition");
  return record;
}

function hear(received: Received, child: string, document: Document): string {
  const record = valueOf(received.prepare(child, document, epochMs));
  if (record === "REPEATED") return record;
  received.accept(record);
  return "taken";
}

/** Each child with the first release that its document names. */
function childrenOf(received: Received): string[] {
  return received
    .of(asked)
    .map(({ child, document }) => `${child} ${document.weights?.releases[0]?.name ?? ""}`)
    .sort();
}

function judging(flags: readonly string[]): Document {
  const document = healthDocument({});
  const verdict = { $typeName: "headwater.v1.FlagVerdict", judgement: 3 } as const;
  document.health!.flags = flags.map((flag) => ({ ...verdict, flag }));
  return document;
}

function weights(of: Partial<NonNullable<Document["weights"]>>): Partial<Document> {
  const empty = { releases: [], degraded: [], failed: [], flags: [], crashes: [] };
  return { weights: { $typeName: "headwater.v1.Weights", ...empty, ...of } };
}
