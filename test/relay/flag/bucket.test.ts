import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bucketOf, isIn } from "../../../relay/flag/bucket.ts";

/** Every sequence of UTF-16 units, lone surrogates too, biased to where UTF-8 changes length. */
const anyText = fc
  .array(
    fc.oneof(
      fc.integer({ min: 0, max: 0xffff }),
      fc.integer({ min: 0xd7ff, max: 0xe000 }),
      fc.constantFrom(0, 0x7f, 0x80, 0x7ff, 0x800, 0xd800, 0xdbff, 0xdc00, 0xdfff, 0xffff),
    ),
    { maxLength: 24 },
  )
  .map((units) => String.fromCharCode(...units));

const instance = fc.oneof(fc.uuid(), fc.string({ unit: "binary" }), anyText);
const flag = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/);
const basisPoints = fc.integer({ min: 0, max: 10_000 });

describe("the hash", () => {
  // Test vectors for seed 0: https://en.wikipedia.org/wiki/MurmurHash#MurmurHash3
  it.each([
    ["", 0x00000000],
    ["test", 0xba6bd213],
    ["Hello, world!", 0xc0363e43],
    ["The quick brown fox jumps over the lazy dog", 0x2e4ff723],
  ])("of %j is the published one", (text, published) => {
    expect(bucketOf({ flag: "", instance: text })).toBe(published);
  });

  it("is checked against an implementation with SMHasher's verification value", () => {
    // MurmurHash3_x86_32, 0xB0F57EE3: main.cpp and KeysetTest.cpp of github.com/aappleby/smhasher.
    const hashes = new DataView(new ArrayBuffer(256 * 4));
    for (let length = 0; length < 256; length++) {
      const key = Uint8Array.from({ length }, (_, at) => at);
      hashes.setUint32(length * 4, murmur3Of(key, 256 - length), true);
    }
    expect(murmur3Of(new Uint8Array(hashes.buffer), 0)).toBe(0xb0f57ee3);
  });

  it("is that of the UTF-8 bytes of any text, however it is split in two", () => {
    fc.assert(
      fc.property(anyText, anyText, (left, right) => {
        const bytes = new TextEncoder().encode(left + right);
        expect(bucketOf({ flag: left, instance: right })).toBe(murmur3Of(bytes, 0));
      }),
      { numRuns: 1000 },
    );
  });

  it("joins a surrogate pair that the split divides", () => {
    const bytes = new TextEncoder().encode("\u{1f30a}");
    expect(bucketOf({ flag: "\ud83c", instance: "\udf0a" })).toBe(murmur3Of(bytes, 0));
  });
});

describe("isIn", () => {
  it("is (bucket * 10000) >> 32 < basis points, in whole numbers", () => {
    fc.assert(
      fc.property(flag, instance, basisPoints, (name, id, share) => {
        const bucket = BigInt(bucketOf({ flag: name, instance: id }));
        const expected = (bucket * 10_000n) >> 32n < BigInt(share);
        expect(isIn({ flag: name, instance: id, basisPoints: share })).toBe(expected);
      }),
      { numRuns: 1000 },
    );
  });

  it("is nobody at 0 and everybody at 10000", () => {
    fc.assert(
      fc.property(flag, instance, (name, id) => {
        expect(isIn({ flag: name, instance: id, basisPoints: 0 })).toBe(false);
        expect(isIn({ flag: name, instance: id, basisPoints: 10_000 })).toBe(true);
      }),
    );
  });

  it("only ever adds instances as the percentage rises", () => {
    fc.assert(
      fc.property(flag, instance, basisPoints, basisPoints, (name, id, some, other) => {
        const lower = isIn({ flag: name, instance: id, basisPoints: Math.min(some, other) });
        const higher = isIn({ flag: name, instance: id, basisPoints: Math.max(some, other) });
        expect(higher || !lower).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });

  it("turns on at exactly one step of the percentage for each instance", () => {
    fc.assert(
      fc.property(flag, instance, (name, id) => {
        const step = Math.floor(bucketOf({ flag: name, instance: id }) / (2 ** 32 / 10_000));
        expect(isIn({ flag: name, instance: id, basisPoints: step })).toBe(false);
        expect(isIn({ flag: name, instance: id, basisPoints: step + 1 })).toBe(true);
      }),
    );
  });

  it("puts a percentage near its share of instances", () => {
    // 20 000 draws at 5 %: six standard deviations are 185, and the ids are fixed.
    const ids = Array.from({ length: 20_000 }, (_, at) => `i-${at}`);
    const flag = "new-scheduler";
    const onCount = ids.filter((id) => isIn({ flag, instance: id, basisPoints: 500 })).length;
    expect(Math.abs(onCount - 1000)).toBeLessThan(185);
  });
});

/** MurmurHash3_x86_32 over bytes, word by word as the reference has it. */
function murmur3Of(bytes: Uint8Array, seed: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const bodyBytes = bytes.length - (bytes.length % 4);
  let hash = BigInt(seed);
  for (let at = 0; at < bodyBytes; at += 4) {
    hash ^= scrambledWord(BigInt(view.getUint32(at, true)));
    hash = word(rotated(hash, 13n) * 5n + 0xe6546b64n);
  }
  const tail = bytes.subarray(bodyBytes).reduceRight((sum, byte) => sum * 256n + BigInt(byte), 0n);
  hash ^= scrambledWord(tail) ^ BigInt(bytes.length);
  hash = word((hash ^ (hash >> 16n)) * 0x85ebca6bn);
  hash = word((hash ^ (hash >> 13n)) * 0xc2b2ae35n);
  return Number(hash ^ (hash >> 16n));
}

function scrambledWord(block: bigint): bigint {
  return word(rotated(word(block * 0xcc9e2d51n), 15n) * 0x1b873593n);
}

function rotated(bits: bigint, count: bigint): bigint {
  return word((bits << count) | (bits >> (32n - count)));
}

function word(integer: bigint): bigint {
  return BigInt.asUintN(32, integer);
}
