import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { ReceivedDocumentSchema } from "../../../gen/headwater/v1/store_pb.ts";
import {
  type CensusSlot,
  CensusSlotSchema,
  type Document,
  DocumentSchema,
  WeightsSchema,
} from "../../../gen/headwater/v1/telemetry_pb.ts";
import { censusesOpenMax, receivedHeapBytesMax } from "../../../relay/limits.ts";
import { Received } from "../../../relay/telemetry/received.ts";
import { weightLists } from "../../../relay/telemetry/weights.ts";
import { epochMs } from "../authority.ts";
import { weightsDocument } from "./fixture.ts";

setFlagsFromString("--expose-gc");
const collect: () => void = runInNewContext("gc");

const mebi = 2 ** 20;

const slots = Array.from({ length: censusesOpenMax }, () =>
  create(CensusSlotSchema, { openedMs: 1_764_000_000_000n, window: 3, answer: 1, expelled: 0 }),
);

test.each<[string, number, (n: number) => string, object, CensusSlot[]?]>([
  ["the shortest words without a number", 20_000, (n) => n.toString(36), {}],
  ["words with the largest numbers", 20_000, (n) => n.toString(36), { count: 2 ** 32 - 1 }],
  ["words of twenty letters", 20_000, (n) => `${n}`.padStart(20, "x"), { basisPoints: 500 }],
  ["the longest words", 2_000, (n) => `${n}`.padStart(128, "\u0101"), {}],
  ["no words", 0, () => "", {}],
  ["no words, and answers to all questions", 0, () => "", {}, slots],
])("%s: what is kept takes no more memory than it may", (_, words, nameOf, said, census = []) => {
  const boundBytes = 48 * mebi;
  const list = Array.from({ length: words }, (_word, n) => ({ ...said, name: nameOf(n) }));
  const lists = Object.fromEntries(weightLists.map((one) => [one, list]));
  const weights = create(WeightsSchema, lists);
  const encoded = toBinary(DocumentSchema, { ...weightsDocument({}), weights, census });
  const received = new Received(new Map(), { heapBytesMax: boundBytes });
  const beforeBytes = memoryBytes();
  const count = fill(received, encoded);
  const takenBytes = memoryBytes() - beforeBytes;
  expect(count).toBeGreaterThan(2);
  expect(takenBytes).toBeLessThan(1.05 * boundBytes);
  expect(takenBytes).toBeGreaterThan(0.5 * boundBytes);
});

test("each of the most children there may be has room for what a project of some size says", () => {
  const names = Array.from({ length: 400 }, (_, n) => ({ name: `${n}`.padStart(20, "x") }));
  const releases = names.slice(0, 100);
  const lists = { releases, degraded: releases, failed: releases, flags: names };
  const weights = create(WeightsSchema, lists);
  const document = { ...weightsDocument({}), weights };
  const received = new Received(new Map(), { heapBytesMax: receivedHeapBytesMax / 100 });
  for (let n = 0; n < 50; n++) {
    const prepared = received.prepare(`child-${n}`, document, epochMs);
    if (!prepared.ok || prepared.value === "REPEATED") throw new Error(`${n} was refused`);
    expect(prepared.value.dropped).toEqual([]);
    received.accept(prepared.value);
  }
});

test("what is stored and takes more is taken up as far as there is room, no child's before others'", () => {
  const documentOf = (n: number): Document => ({ ...weightsDocument({}), project: `p-${n}` });
  const stored = new Map(
    ["acme", "beta"].flatMap((child) =>
      Array.from({ length: child === "acme" ? 50 : 2 }, (_, n): [string, Uint8Array] => {
        const document = documentOf(n);
        const record = create(ReceivedDocumentSchema, { child, atMs: BigInt(epochMs), document });
        return [`p-${n} WEIGHTS ${child}`, toBinary(ReceivedDocumentSchema, record)];
      }),
    ),
  );
  const received = new Received(new Map([["received", stored]]), { heapBytesMax: 10 * 1100 });
  const held = received.shared(epochMs).map((one) => one.received.child);
  expect(held.filter((child) => child === "beta")).toHaveLength(2);
  expect(held.length).toBeLessThanOrEqual(10);
});

/** One child's documents of as many projects as there is room for. */
function fill(received: Received, encoded: Uint8Array): number {
  for (let n = 0; ; n++) {
    const document: Document = { ...fromBinary(DocumentSchema, encoded), project: `p-${n}` };
    const prepared = received.prepare("child", document, epochMs);
    if (!prepared.ok || prepared.value === "REPEATED") return n;
    received.accept(prepared.value);
  }
}

function memoryBytes(): number {
  for (let n = 0; n < 3; n++) collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
