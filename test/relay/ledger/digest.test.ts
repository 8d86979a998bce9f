import fc from "fast-check";
import { expect, test } from "vitest";
import { SetDigest } from "../../../relay/ledger/digest.ts";
import { sha256, toHex } from "../../../relay/trust/key.ts";

const hashOf = (n: number): Uint8Array => sha256(Buffer.from([n & 0xff, n >> 8]));

/** Sets of small numbers, as a history of changes to one. */
const history = fc.array(
  fc.record({
    add: fc.uniqueArray(fc.nat(60), { maxLength: 12 }),
    remove: fc.uniqueArray(fc.nat(60), { maxLength: 12 }),
  }),
  { maxLength: 12 },
);

test("changes come to the same digest as the set made at once (I1)", () => {
  fc.assert(
    fc.property(history, (changes) => {
      let held = new Set<number>();
      let digest = SetDigest.empty;
      for (const { add, remove } of changes) {
        const removed = remove.filter((n) => held.has(n));
        const rest = new Set([...held].filter((n) => !removed.includes(n)));
        const added = add.filter((n) => !rest.has(n));
        digest = digest.with({ added: added.map(hashOf), removed: removed.map(hashOf) });
        held = new Set([...rest, ...added]);
        expect(digest.count).toBe(held.size);
        expect(toHex(digest.digest)).toBe(toHex(SetDigest.of([...held].map(hashOf)).digest));
      }
    }),
    { numRuns: 300 },
  );
});

test("the order in which a set grew does not show, what is in it does", () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(60), { minLength: 1 }), (numbers) => {
      const all = SetDigest.of(numbers.map(hashOf));
      expect(toHex(SetDigest.of([...numbers].reverse().map(hashOf)).digest)).toBe(
        toHex(all.digest),
      );
      const less = SetDigest.of(numbers.slice(1).map(hashOf));
      expect(toHex(less.digest)).not.toBe(toHex(all.digest));
    }),
  );
});

test("it is SHA-256 over the sorted hashes, and a change leaves the former value as it was", () => {
  const [a, b] = [hashOf(1), hashOf(2)].sort((x, y) => Buffer.compare(x, y));
  const one = SetDigest.of([b!]);
  const both = one.with({ added: [a!], removed: [] });
  expect(toHex(both.digest)).toBe(toHex(sha256(a!, b!)));
  expect(toHex(one.digest)).toBe(toHex(sha256(b!)));
  expect(toHex(SetDigest.empty.digest)).toBe(toHex(sha256()));
});

test("hashes that begin alike are sorted by what comes after", () => {
  const alike = [3, 1, 2, 0].map((last) => {
    const hash = hashOf(7).slice();
    hash[31] = last;
    return hash;
  });
  const sorted = [...alike].sort((x, y) => Buffer.compare(x, y));
  expect(toHex(SetDigest.of(alike).digest)).toBe(toHex(sha256(...sorted)));
  const grown = SetDigest.of(alike.slice(0, 2)).with({ added: alike.slice(2), removed: [] });
  expect(toHex(grown.digest)).toBe(toHex(sha256(...sorted)));
});
