import { clone, create, fromBinary, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Delta, DeltaSchema } from "../../../gen/headwater/v1/mesh_pb.ts";
import { clockSkewMsMax } from "../../../relay/cadence.ts";
import { deltaSince, hearDelta } from "../../../relay/ledger/delta.ts";
import { signHead } from "../../../relay/ledger/head.ts";
import type { Ledger } from "../../../relay/ledger/ledger.ts";
import { comparePositions } from "../../../relay/ledger/position.ts";
import type { SigningWriter } from "../../../relay/ledger/writer.ts";
import { entryBytesMax, frameBytesMax } from "../../../relay/limits.ts";
import { Authority, contentOf, type Entries, epochMs, refusalOf, valueOf } from "../authority.ts";

const authority = new Authority();

const changes: fc.Arbitrary<Entries> = fc.dictionary(
  fc.constantFrom("flag/a", "flag/b", "flag/c", "flag/d", "rule/cap/*"),
  fc.option(fc.uint8Array({ maxLength: 2 }), { nil: undefined }),
  { maxKeys: 3, noNullPrototype: true },
);
const histories = fc.array(changes, { maxLength: 10 });

describe("a delta", () => {
  test("from every remembered position comes to the very state (I1, I2)", () => {
    fc.assert(
      fc.property(histories, (history) => {
        const { ledger, children } = grown(history);
        for (const child of children) {
          if (comparePositions(child.position!, ledger.position!) === 0) {
            expect(deltaSince(ledger, child.position!)).toBeUndefined();
            continue;
          }
          expect(takes(child, deltaSince(ledger, child.position!)!)).toBe(true);
          expect(contentOf(child)).toEqual(contentOf(ledger));
          expect(child.position).toEqual(ledger.position);
          expect(child.bytes).toBe(ledger.bytes);
        }
      }),
    );
  });

  test("one by one or coalesced, from before what is held or not: the state is the same", () => {
    fc.assert(
      fc.property(histories, fc.nat(), fc.nat(), (history, first, second) => {
        const { ledger, children } = grown(history);
        const [from, held] = [first % children.length, second % children.length].sort(
          (a, b) => a - b,
        );
        const child = children[held!]!;
        const delta = deltaSince(ledger, children[from!]!.position!);
        if (delta === undefined || child.position!.seq === ledger.position!.seq) return;
        expect(takes(child, delta)).toBe(true);
        expect(contentOf(child)).toEqual(contentOf(ledger));
      }),
    );
  });

  test("whose predecessor is missing is a resync, never a guess (I2)", () => {
    const { ledger, children } = grown([{ "flag/a": one }, { "flag/b": one }]);
    const delta = deltaSince(ledger, children[1]!.position!)!;
    expect(heard(children[0]!, delta)).toBe("resync");
    expect(heard(authority.emptyLedger(), delta)).toBe("resync");
    expect(contentOf(children[0]!)).toEqual(contentOf(authority.ledger()));
  });

  test("that came already, or is older than what is held, is known (I3)", () => {
    const ledger = authority.ledger();
    const first = ledger.position!;
    authority.commit(ledger, { "flag/a": one });
    const old = deltaSince(ledger, first)!;
    expect(heard(ledger, old)).toBe("known");
    authority.commit(ledger, { "flag/b": one });
    const before = contentOf(ledger);
    expect(heard(ledger, old)).toBe("known");
    expect(contentOf(ledger)).toEqual(before);
  });

  test("is not made from a position that nobody remembers, nor past the size of a frame", () => {
    const { ledger } = grown([{ "flag/a": one }]);
    expect(deltaSince(ledger, { ...ledger.position!, seq: 99 })).toBeUndefined();
    const other = { ...grown([{ "flag/z": one }]).children[1]!.position!, seq: 1 };
    expect(deltaSince(ledger, other)).toBeUndefined();

    const before = ledger.position!;
    const value = new Uint8Array(entryBytesMax);
    const count = Math.ceil(frameBytesMax / 2 / entryBytesMax);
    const many = Object.fromEntries(Array.from({ length: count }, (_, n) => [`flag/${n}`, value]));
    authority.commit(ledger, many);
    expect(deltaSince(ledger, before)).toBeUndefined();
  });
});

describe("refused with whoever sent it (I8), and nothing is changed", () => {
  const { ledger, children } = grown([
    { "flag/a": one, "flag/b": one, "flag/c": one },
    { "flag/a": two, "flag/b": undefined },
  ]);
  const held = children[1]!;
  const good = deltaSince(ledger, held.position!)!;

  function altered(by: (delta: Delta) => void): Delta {
    const delta = clone(DeltaSchema, good);
    by(delta);
    return delta;
  }

  test.each<[string, string, (delta: Delta) => void]>([
    ["an altered value", "digest", (delta) => void (delta.entries[0]!.value = one)],
    ["an entry that is left out", "digest", (delta) => void delta.entries.pop()],
    ["a tombstone that is left out", "digest", (delta) => void delta.tombstones.pop()],
    ["a tombstone that was added", "digest", (delta) => void delta.tombstones.push("flag/c")],
    ["an entry that was added", "digest", (d) => void d.entries.push(entry("flag/z", one))],
    ["an entry twice", "named twice", (d) => void d.entries.push(d.entries[0]!)],
    ["a key that is none", "entry key", (d) => void d.entries.push(entry("z", one))],
    ["no head", "without", (delta) => void (delta.head = undefined)],
    ["no previous position", "without", (delta) => void (delta.previous = undefined)],
    ["a head that is not a head", "not a head", (d) => void (d.head!.payload = Buffer.from("?"))],
    ["a flipped bit of the head", "not signed", (d) => flip(d.head!.payload, -1)],
    ["a flipped bit of the signature", "not signed", (d) => flip(d.head!.signatures[0]!.sig)],
    ["no signature", "not signed", (delta) => void (delta.head!.signatures = [])],
  ])("%s", (_, why, by) => {
    const before = contentOf(held);
    expect(refusalOf(hearDelta(held, altered(by), judge(held)))).toContain(why);
    expect(contentOf(held)).toEqual(before);
    expect(takes(clonedFrom(held), good)).toBe(true);
  });

  test("entries in another order are the same delta", () => {
    const child = grown([{ "flag/a": one, "flag/b": one, "flag/c": one }]).ledger;
    authority.commit(ledger, { "flag/x": one, "flag/y": one });
    const delta = deltaSince(ledger, child.position!)!;
    delta.entries.reverse();
    expect(takes(child, delta)).toBe(true);
    expect(contentOf(child)).toEqual(contentOf(ledger));
  });

  test("any byte of an encoded delta that is altered is refused, ignored or without effect", () => {
    const bytes = toBinary(DeltaSchema, good);
    const whole = clonedFrom(held);
    takes(whole, good);
    const after = contentOf(whole);
    for (let at = 0; at < bytes.length; at += 3) {
      const child = clonedFrom(held);
      const damaged = Uint8Array.from(bytes);
      damaged[at]! ^= 1 << (at % 8);
      const delta = parsed(damaged);
      const outcome = delta && hearDelta(child, delta, judge(child));
      if (outcome === undefined || !outcome.ok || outcome.value.kind !== "change") continue;
      child.accept(outcome.value.change);
      expect(contentOf(child)).toEqual(after);
    }
  });
});

describe("a head", () => {
  test("of another ledger is refused: of another project, of another authority", () => {
    const { ledger, children } = grown([{ "flag/a": one }]);
    const delta = deltaSince(ledger, children[0]!.position!)!;
    for (const of of [{ project: "oslo" }, { name: "mallory" }]) {
      const other = new Authority(of);
      const theirs = other.ledger();
      expect(refusalOf(hearDelta(theirs, delta, judge(theirs)))).toContain("another ledger");
      other.commit(theirs, { "flag/a": two });
      const mixed = create(DeltaSchema, { ...delta, head: theirs.head!.envelope });
      expect(refusalOf(hearDelta(children[0]!, mixed, judge(children[0]!)))).toContain(
        "another ledger",
      );
    }
  });

  test("that is the second one at its position is refused: two histories were signed", () => {
    const [ours, theirs] = [authority.ledger(), authority.ledger()];
    const from = ours.position!;
    authority.commit(ours, { "flag/a": one });
    authority.commit(theirs, { "flag/a": two });
    expect(refusalOf(hearDelta(ours, deltaSince(theirs, from)!, judge(ours)))).toContain(
      "two histories",
    );
  });

  test("that does not follow the one held is refused, though its digest is right", () => {
    const [ours, theirs] = [authority.ledger(), authority.ledger({ "flag/a": one })];
    authority.commit(ours, { "flag/a": one });
    authority.commit(theirs, { "flag/b": one });
    authority.commit(theirs, { "flag/b": undefined });
    expect(ours.digest).toEqual(theirs.digest);
    authority.commit(ours, { "flag/c": one });
    authority.commit(theirs, { "flag/c": one });
    const child = grown([]).children[0]!;
    const forged = create(DeltaSchema, {
      previous: child.position!,
      entries: [entry("flag/a", one)],
      head: signHead({
        ledger: child.name,
        position: { term: 1, seq: 2, digest: grown([{ "flag/a": one }]).ledger.digest },
        previous: theirs.head,
        entriesCount: 2,
        wallMs: epochMs,
        key: authority.writer.ledgerKey,
      }).envelope,
    });
    expect(refusalOf(hearDelta(child, forged, judge(child)))).toContain("prev_head_hash");
  });

  test("from the future is refused, a little of it is allowed for clocks that differ", () => {
    const { ledger, children } = grown([]);
    authority.commit(ledger, { "flag/a": one }, epochMs + clockSkewMsMax + 1);
    const delta = deltaSince(ledger, children[0]!.position!)!;
    expect(refusalOf(hearDelta(children[0]!, delta, judge(children[0]!)))).toContain("future");
    expect(hearDelta(children[0]!, delta, judge(children[0]!, epochMs + 1)).ok).toBe(true);
  });

  test("signed by a key that has no grant is refused, of a term without a grant too", () => {
    const child = grown([]).children[0]!;
    const signedBy = (writer: SigningWriter, term: number): Delta => {
      const staged = valueOf(child.stage({ entries: [entry("flag/a", one)], tombstones: [] }));
      const head = signHead({
        ledger: child.name,
        position: { term, seq: 2, digest: staged.set.digest },
        previous: child.head,
        entriesCount: 2,
        wallMs: epochMs,
        key: writer.ledgerKey,
      });
      const entries = [entry("flag/a", one)];
      return create(DeltaSchema, { previous: child.position!, entries, head: head.envelope });
    };
    expect(hearDelta(child, signedBy(authority.writer, 1), judge(child)).ok).toBe(true);
    const stranger = new Authority({ name: "mallory" }).writer;
    expect(refusalOf(hearDelta(child, signedBy(stranger, 1), judge(child)))).toContain(
      "not signed by its ledger key",
    );
    expect(refusalOf(hearDelta(child, signedBy(authority.writer, 2), judge(child)))).toContain(
      "no grant",
    );
  });
});

/** A ledger, and a child at each of the positions that it was at. */
function grown(history: readonly Entries[]): { ledger: Ledger; children: Ledger[] } {
  const ledger = authority.ledger();
  const children = [clonedFrom(ledger)];
  for (const one of history)
    if (authority.commit(ledger, one) !== undefined) children.push(clonedFrom(ledger));
  return { ledger, children };
}

function clonedFrom(ledger: Ledger): Ledger {
  const child = authority.emptyLedger();
  const entries = [...ledger.entries].map(([key, { value }]) => ({ key, value }));
  child.restore({ head: ledger.head!, entries, steps: [] });
  return child;
}

function judge(ledger: Ledger, wallMs: number = epochMs) {
  return { trusted: ledger.trusted!, wallMs };
}

function heard(ledger: Ledger, delta: Delta): string {
  return valueOf(hearDelta(ledger, delta, judge(ledger))).kind;
}

/** Hears and makes a change; false when it was none. */
function takes(ledger: Ledger, delta: Delta): boolean {
  const outcome = valueOf(hearDelta(ledger, delta, judge(ledger)));
  if (outcome.kind === "change") ledger.accept(outcome.change);
  return outcome.kind === "change";
}

function parsed(bytes: Uint8Array): Delta | undefined {
  try {
    return fromBinary(DeltaSchema, bytes);
  } catch {
    return undefined;
  }
}

function entry(key: string, value: Uint8Array): Delta["entries"][number] {
  return create(DeltaSchema, { entries: [{ key, value }] }).entries[0]!;
}

function flip(bytes: Uint8Array, at: number = 0): void {
  const index = at < 0 ? bytes.length + at : at;
  bytes[index]! ^= 1;
}

const one = Buffer.from("1");
const two = Buffer.from("2");
