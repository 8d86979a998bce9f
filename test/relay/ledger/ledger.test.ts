import { create } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PositionSchema } from "../../../gen/headwater/v1/ledger_pb.ts";
import { SetDigest } from "../../../relay/ledger/digest.ts";
import { entryHash, entrySize } from "../../../relay/ledger/entry.ts";
import { signHead } from "../../../relay/ledger/head.ts";
import { History } from "../../../relay/ledger/history.ts";
import { Ledger } from "../../../relay/ledger/ledger.ts";
import { entryBytesMax, historyLengthMax, ledgerBytesMax } from "../../../relay/limits.ts";
import { toHex } from "../../../relay/trust/key.ts";
import { Authority, contentOf, type Entries, epochMs, refusalOf, valueOf } from "../authority.ts";

const authority = new Authority();

const key = fc.constantFrom("flag/a", "flag/b", "flag/c", "rule/cap/a", "release/1.0");
const changes: fc.Arbitrary<Entries> = fc.dictionary(
  key,
  fc.option(fc.uint8Array({ maxLength: 4 }), { nil: undefined }),
  { maxKeys: 4, noNullPrototype: true },
);

describe("stage", () => {
  test("works out what changes come to, and changes nothing (I5)", () => {
    fc.assert(
      fc.property(changes, changes, (first, second) => {
        const ledger = authority.ledger(first);
        const before = contentOf(ledger);
        const [digest, bytes] = [toHex(ledger.digest), ledger.bytes];
        const staged = valueOf(ledger.stage(asChanges(second)));
        expect(contentOf(ledger)).toEqual(before);
        expect([toHex(ledger.digest), ledger.bytes]).toEqual([digest, bytes]);

        const after = new Map(before);
        for (const [name, value] of Object.entries(second)) {
          if (value === undefined) after.delete(name);
          else after.set(name, Buffer.from(value).toString("hex"));
        }
        const entries = [...after].map(([name, hex]) => ({
          key: name,
          value: Buffer.from(hex, "hex"),
        }));
        expect(toHex(staged.set.digest)).toBe(toHex(SetDigest.of(entries.map(entryHash)).digest));
        expect(staged.bytes).toBe(entries.reduce((sum, entry) => sum + entrySize(entry), 0));
        const touched = [...staged.puts.map((put) => put.key), ...staged.deletes];
        const differing = [...new Set([...before.keys(), ...after.keys()])].filter(
          (name) => before.get(name) !== after.get(name),
        );
        expect(touched.sort()).toEqual(differing.sort());
      }),
    );
  });

  test("makes the entries exactly those of a whole", () => {
    fc.assert(
      fc.property(changes, changes, (first, second) => {
        const ledger = authority.ledger(first);
        const { entries } = asChanges(second);
        const staged = valueOf(ledger.stageWhole(entries));
        expect(toHex(staged.set.digest)).toBe(toHex(SetDigest.of(entries.map(entryHash)).digest));
      }),
    );
  });

  test.each([
    ["an entry twice", { entries: [put("flag/a"), put("flag/a")], tombstones: [] }],
    ["an entry and its tombstone", { entries: [put("flag/a")], tombstones: ["flag/a"] }],
    ["a tombstone twice", { entries: [], tombstones: ["flag/a", "flag/a"] }],
    ["a key without a kind", { entries: [put("a")], tombstones: [] }],
    ["a tombstone without a kind", { entries: [], tombstones: ["a"] }],
  ])("refuses %s", (_, wrong) => {
    expect(refusalOf(authority.ledger().stage(wrong))).toContain("invalid");
  });

  test("refuses more bytes than a ledger holds", () => {
    const ledger = authority.ledger();
    const value = new Uint8Array(entryBytesMax);
    const count = Math.ceil(ledgerBytesMax / entryBytesMax);
    const entries = Array.from({ length: count }, (_, n) => ({ key: `flag/${n}`, value }));
    expect(refusalOf(ledger.stage({ entries, tombstones: [] }))).toContain("limit");
    expect(ledger.stage({ entries: entries.slice(4), tombstones: [] }).ok).toBe(true);
  });
});

describe("changeTo", () => {
  test("takes only the very state that the head has signed, count included (I4)", () => {
    const ledger = authority.ledger({ "flag/a": Buffer.from("1") });
    const staged = valueOf(ledger.stage({ entries: [put("flag/b")], tombstones: [] }));
    const head = (digest: Uint8Array, entriesCount: number) =>
      signHead({
        ledger: ledger.name,
        position: { term: 1, seq: 2, digest },
        previous: ledger.head,
        entriesCount,
        wallMs: epochMs,
        key: authority.writer.ledgerKey,
      });
    const right = head(staged.set.digest, staged.set.count);
    expect(ledger.changeTo(right, staged).ok).toBe(true);
    expect(refusalOf(ledger.changeTo(head(ledger.digest, 3), staged))).toContain("digest");
    expect(refusalOf(ledger.changeTo(head(staged.set.digest, 2), staged))).toContain("count");
  });
});

test("an entry keeps its own bytes, and not the frame that it came in", () => {
  const frame = Buffer.from("a frame of many entries");
  const ledger = authority.ledger({ "flag/a": frame.subarray(2, 7) });
  const { value } = ledger.entries.get("flag/a")!;
  expect(Buffer.from(value).toString()).toBe("frame");
  expect(value.buffer.byteLength).toBe(value.byteLength);
});

test("a step of the history keeps its own bytes, and not the frame of the head before", () => {
  const digest = Buffer.from("a frame with a digest and much else").subarray(15, 21);
  const { step } = new History().next(create(PositionSchema, { term: 1, seq: 7, digest }), []);
  expect(step.previous).toMatchObject({ term: 1, seq: 7 });
  expect(Buffer.from(step.previous.digest).toString()).toBe("digest");
  expect(step.previous.digest.buffer.byteLength).toBe(6);
});

describe("restore", () => {
  test("takes up what was stored, history included, and goes on from there (I3)", () => {
    const ledger = authority.ledger();
    const first = ledger.position!;
    const step = authority.commit(ledger, { "flag/a": Buffer.from("1") })!.step!;
    const restored = new Ledger(ledger.name);
    restored.trusted = ledger.trusted;
    const entries = [...ledger.entries].map(([name, { value }]) => ({ key: name, value }));
    expect(restored.restore({ head: ledger.head!, entries, steps: [step] })).toBe(true);
    expect(restored.position).toEqual(ledger.position);
    expect(contentOf(restored)).toEqual(contentOf(ledger));
    expect(restored.history.keysSince(first)).toEqual(new Set(["flag/a"]));
    expect(authority.commit(restored, { "flag/b": Buffer.from("2") })?.step?.number).toBe(
      step.number + 1,
    );
  });

  test("takes nothing that its head has not signed", () => {
    const ledger = authority.ledger({ "flag/a": Buffer.from("1") });
    const entries = [...ledger.entries].map(([name, { value }]) => ({ key: name, value }));
    for (const wrong of [entries.slice(1), [...entries, put("flag/z")]]) {
      const restored = new Ledger(ledger.name);
      expect(restored.restore({ head: ledger.head!, entries: wrong, steps: [] })).toBe(false);
      expect(restored.position).toBeUndefined();
      expect(restored.entries.size).toBe(0);
    }
  });
});

test("of its history a ledger keeps the last steps, and names those that it drops", () => {
  const ledger = authority.ledger();
  const first = ledger.position!;
  let dropped: number[] = [];
  for (let n = 0; n < historyLengthMax; n++)
    dropped.push(...authority.commit(ledger, { "flag/a": Buffer.from([n & 255]) })!.stepsDropped);
  expect(dropped).toEqual([]);
  expect(ledger.history.keysSince(first)).toEqual(new Set(["flag/a"]));
  dropped = [...authority.commit(ledger, { "flag/b": Buffer.from([1]) })!.stepsDropped];
  expect(dropped).toEqual([1]);
  expect(ledger.history.length).toBe(historyLengthMax);
  expect(ledger.history.keysSince(first)).toBeUndefined();
});

function put(name: string): { key: string; value: Uint8Array } {
  return { key: name, value: Buffer.from(name) };
}

function asChanges(of: Entries) {
  const entries = Object.entries(of).flatMap(([name, value]) =>
    value === undefined ? [] : [{ key: name, value }],
  );
  return { entries, tombstones: Object.keys(of).filter((name) => of[name] === undefined) };
}
