import { clone } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type ReplicateResponse,
  ReplicateResponseSchema,
  type SnapshotBegin,
  type SnapshotChunk,
} from "../../../gen/headwater/v1/mesh_pb.ts";
import type { Heard } from "../../../relay/ledger/delta.ts";
import { entrySize } from "../../../relay/ledger/entry.ts";
import type { Ledger } from "../../../relay/ledger/ledger.ts";
import { SnapshotAssembly, snapshotOf } from "../../../relay/ledger/snapshot.ts";
import { chunkBytesMax, entryBytesMax, ledgerBytesMax } from "../../../relay/limits.ts";
import { done, type Outcome } from "../../../relay/refusal.ts";
import { Authority, contentOf, type Entries, epochMs, refusalOf, valueOf } from "../authority.ts";

const authority = new Authority();
const value = (n: number): Uint8Array => Buffer.alloc(entryBytesMax - 20, n);

/** Several chunks: an entry is a quarter of one at most. */
const large: Entries = Object.fromEntries(
  Array.from({ length: 12 }, (_, n) => [`flag/${n}`, value(n)]),
);

test("a snapshot brings anyone, from nothing or from other content, to the very state (I5)", () => {
  const entries = fc.dictionary(
    fc.constantFrom("flag/a", "flag/b", "flag/c", "flag/d"),
    fc.uint8Array({ maxLength: 3 }),
    { noNullPrototype: true },
  );
  fc.assert(
    fc.property(entries, entries, (before, after) => {
      const child = authority.ledger(before);
      const ledger = authority.ledger(before);
      authority.commit(ledger, { "flag/z": Buffer.from("z"), ...after });
      authority.commit(ledger, { "flag/a": undefined });
      for (const one of [authority.emptyLedger(), child]) {
        expect(valueOf(replay(one, framesOf(ledger))).kind).toBe("change");
        expect(contentOf(one)).toEqual(contentOf(ledger));
        expect(one.position).toEqual(ledger.position);
      }
    }),
  );
});

test("chunks hold 64 KiB at most, in as many frames as the beginning says", () => {
  const { begin, chunks } = partsOf(authority.ledger(large));
  expect(begin).toMatchObject({ chunksCount: chunks.length, entriesCount: 13 });
  expect(chunks.length).toBeGreaterThan(2);
  for (const { entries } of chunks) {
    const bytes = entries.reduce((sum, entry) => sum + entrySize(entry), 0);
    expect(bytes).toBeLessThanOrEqual(chunkBytesMax);
    expect(bytes).toBeGreaterThan(0);
  }
  expect(chunks.map(({ index }) => index)).toEqual(chunks.map((_, n) => n));
});

test("a ledger that has nothing verified has no snapshot, an empty one has one (I6)", () => {
  expect(snapshotOf(authority.emptyLedger())).toBeUndefined();
  const ledger = authority.ledger();
  authority.commit(ledger, { "release/0": undefined });
  const { begin, chunks } = partsOf(ledger);
  expect([begin.entriesCount, begin.chunksCount, chunks.length]).toEqual([0, 0, 0]);
  const child = authority.ledger();
  valueOf(replay(child, framesOf(ledger)));
  expect(child.entries.size).toBe(0);
});

test("one that is interrupted anywhere changes nothing (I5)", () => {
  const ledger = authority.ledger(large);
  const frames = framesOf(ledger);
  for (let cut = 0; cut < frames.length; cut++) {
    const child = authority.ledger();
    const before = contentOf(child);
    authority.commit(child, { "flag/before": Buffer.from("1") });
    replay(child, frames.slice(0, cut));
    expect(contentOf(child)).toEqual(before.set("flag/before", "31"));
  }
});

test("one that is older than what is held by now, or the same, is known (I3)", () => {
  const ledger = authority.ledger({ "flag/a": value(1) });
  const old = framesOf(ledger);
  expect(valueOf(replay(ledger, old)).kind).toBe("known");
  authority.commit(ledger, { "flag/a": undefined });
  expect(valueOf(replay(ledger, old)).kind).toBe("known");
  expect(ledger.entries.has("flag/a")).toBe(false);
});

test("a delta that came meanwhile stays: the snapshot is judged against what is held at its end", () => {
  const ledger = authority.ledger({ "flag/a": value(1) });
  const child = authority.ledger();
  const { begin, chunks } = partsOf(ledger);
  const assembly = valueOf(SnapshotAssembly.open(child, begin, judge(child)));
  for (const chunk of chunks) assembly.add(chunk);
  authority.commit(child, { "flag/a": value(1) });
  authority.commit(child, { "flag/b": value(2) });
  expect(valueOf(assembly.end(judge(child))).kind).toBe("known");
  expect(child.entries.has("flag/b")).toBe(true);
});

describe("refused, and nothing is changed (I4)", () => {
  const ledger = authority.ledger(large);
  const { begin, chunks } = partsOf(ledger);

  test.each<[string, string, (begin: SnapshotBegin) => void]>([
    ["no head", "without a head", (b) => void (b.head = undefined)],
    ["a count that the head has not signed", "entries_count", (b) => void b.entriesCount++],
    ["more bytes than a ledger holds", "limit", (b) => void (b.entriesBytes = over)],
    ["more chunks than entries", "chunks_count", (b) => void (b.chunksCount = 14)],
    [
      "a head that was altered",
      "not signed",
      (b) => void (b.head!.payload[b.head!.payload.length - 1]! ^= 1),
    ],
  ])("a beginning with %s", (_, why, by) => {
    const altered = partsOf(ledger).begin;
    by(altered);
    const child = authority.emptyLedger();
    expect(refusalOf(SnapshotAssembly.open(child, altered, judge(child)))).toContain(why);
  });

  test.each<[string, string, (chunks: SnapshotChunk[]) => void]>([
    ["in another order", "chunk", (all) => void all.reverse()],
    ["one of which is missing", "chunk", (all) => void all.splice(1, 1)],
    ["the last of which is missing", "ended after", (all) => void all.pop()],
    ["one of which came twice", "chunk", (all) => void all.splice(1, 0, all[0]!)],
    ["with one too many", "chunk", (all) => void all.push({ ...all[0]!, index: all.length })],
    ["with an entry too many", "more entries", (all) => void all[0]!.entries.push(extra)],
    ["with an entry that grew", "more entries", (all) => grow(all[0]!)],
    ["without one entry", "digest", (all) => void all[0]!.entries.pop()],
    ["with an altered entry", "digest", (all) => void (all[0]!.entries[1]!.value[3]! ^= 1)],
    ["with one entry for another", "named twice", (all) => repeat(all[0]!)],
    ["with a key that is none", "entry key", (all) => void (all[0]!.entries[0]!.key = "x")],
  ])("chunks %s", (_, why, by) => {
    const altered = chunks.map((chunk) => clone(schema, frame(chunk)).frame.value as SnapshotChunk);
    by(altered);
    const child = authority.emptyLedger();
    const assembly = valueOf(SnapshotAssembly.open(child, begin, judge(child)));
    const refusal = altered.map((chunk) => assembly.add(chunk)).find((one) => one !== undefined);
    const outcome =
      refusal === undefined ? assembly.end(judge(child)) : ({ ok: false, refusal } as const);
    expect(refusalOf(outcome)).toContain(why);
    expect([child.position, child.entries.size]).toEqual([undefined, 0]);
  });

  test("the second head at a position, when that is known", () => {
    const [ours, theirs] = [authority.ledger(), authority.ledger()];
    authority.commit(ours, { "flag/a": value(1) });
    authority.commit(theirs, { "flag/a": value(2) });
    expect(refusalOf(replay(ours, framesOf(theirs)))).toContain("two histories");
  });
});

const schema = ReplicateResponseSchema;
const over = BigInt(ledgerBytesMax) + 1n;
const extra = { ...partsOf(authority.ledger()).chunks[0]!.entries[0]!, key: "flag/zz" };

function judge(ledger: Ledger) {
  return { trusted: ledger.trusted!, wallMs: epochMs };
}

function frame(value: SnapshotChunk): ReplicateResponse {
  return { $typeName: "headwater.v1.ReplicateResponse", frame: { case: "snapshotChunk", value } };
}

function framesOf(ledger: Ledger): ReplicateResponse["frame"][] {
  return snapshotOf(ledger)!.frames.map((one) => clone(schema, one).frame);
}

function partsOf(ledger: Ledger): { begin: SnapshotBegin; chunks: SnapshotChunk[] } {
  const frames = framesOf(ledger);
  const begin = frames.find((one) => one.case === "snapshotBegin")!.value;
  return {
    begin,
    chunks: frames.flatMap((one) => (one.case === "snapshotChunk" ? one.value : [])),
  };
}

/** Plays frames to a ledger, and makes the change that they come to. */
function replay(ledger: Ledger, frames: readonly ReplicateResponse["frame"][]): Outcome<Heard> {
  let assembly: SnapshotAssembly | undefined;
  for (const { case: kind, value: message } of frames) {
    if (kind === "snapshotBegin")
      assembly = valueOf(SnapshotAssembly.open(ledger, message, judge(ledger)));
    if (kind === "snapshotChunk") assembly?.add(message);
    if (kind !== "snapshotEnd" || assembly === undefined) continue;
    const outcome = assembly.end(judge(ledger));
    if (outcome.ok && outcome.value.kind === "change") ledger.accept(outcome.value.change);
    return outcome;
  }
  return done({ kind: "resync", why: "there is no end" });
}

function grow(chunk: SnapshotChunk): void {
  const [first] = chunk.entries;
  // The last chunk has room to spare, so that only the sum of all can tell.
  first!.value = new Uint8Array(entryBytesMax);
}

function repeat(chunk: SnapshotChunk): void {
  chunk.entries[2] = { ...chunk.entries[1]! };
}
