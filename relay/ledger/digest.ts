import { sha256 } from "../trust/key.ts";

const hashBytes = 32;

/**
 * The sorted SHA-256 hashes of a set, end to end, and the hash of that: equal sets have equal
 * digests, in whatever order they grew. A value; `with` makes another.
 *
 * A flat list is enough: of 10 000 hashes a change copies 320 kB and hashes it once.
 */
export class SetDigest {
  static readonly empty: SetDigest = new SetDigest(new Uint8Array(0));

  readonly #sorted: Uint8Array;
  #digest: Uint8Array | undefined;

  private constructor(sorted: Uint8Array) {
    this.#sorted = sorted;
  }

  static of(hashes: readonly Uint8Array[]): SetDigest {
    return new SetDigest(joined(sorted(hashes)));
  }

  get count(): number {
    return this.#sorted.length / hashBytes;
  }

  /** 32 bytes. */
  get digest(): Uint8Array {
    this.#digest ??= sha256(this.#sorted);
    return this.#digest;
  }

  /** One pass over the old list: removed hashes are left out, added ones put in their place. */
  with(change: { added: readonly Uint8Array[]; removed: readonly Uint8Array[] }): SetDigest {
    const removed = sorted(change.removed);
    const added = sorted(change.added);
    const out = new Uint8Array(this.#sorted.length + (added.length - removed.length) * hashBytes);
    let read = 0;
    let written = 0;
    const copyTo = (end: number): void => {
      if (end === read) return;
      out.set(this.#sorted.subarray(read, end), written);
      written += end - read;
      read = end;
    };
    let a = 0;
    let r = 0;
    while (a < added.length || r < removed.length) {
      const add = added[a];
      const remove = removed[r];
      if (remove !== undefined && (add === undefined || compareBytes(remove, add) < 0)) {
        copyTo(this.#indexFrom(read, remove));
        read += hashBytes;
        r++;
      } else if (add !== undefined) {
        copyTo(this.#indexFrom(read, add));
        out.set(add, written);
        written += hashBytes;
        a++;
      }
    }
    copyTo(this.#sorted.length);
    return new SetDigest(out);
  }

  /**
   * Offset of the first hash from there on that is not below. In a change of many it is near, in one
   * of few it may be anywhere: steps that double, then a binary search in the last of them.
   */
  #indexFrom(offset: number, hash: Uint8Array): number {
    let low = offset / hashBytes;
    let step = 1;
    while (low + step <= this.count && this.#isBelow(low + step - 1, hash)) {
      low += step;
      step *= 2;
    }
    let high = Math.min(low + step - 1, this.count);
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#isBelow(middle, hash)) low = middle + 1;
      else high = middle;
    }
    return low * hashBytes;
  }

  #isBelow(index: number, hash: Uint8Array): boolean {
    return compareAt(this.#sorted, index * hashBytes, hash) < 0;
  }
}

/** More than a ledger holds, and a number holds so many places of 4 bytes exactly. */
const placesCount = 2 ** 20;

/**
 * As numbers of their first four bytes, with the place of each behind: ten thousand hashes are sorted in
 * a third of the time that it takes to compare them with each other.
 */
function sorted(hashes: readonly Uint8Array[]): Uint8Array[] {
  if (hashes.length > placesCount) return [...hashes].sort(compareBytes);
  const numbers = Float64Array.from(hashes, (hash, place) => firstOf(hash) * placesCount + place);
  const out = Array.from(numbers.sort(), (number) => hashes[number % placesCount] ?? noHash);
  // Few share their first bytes, and those are next to each other.
  for (let i = 1; i < out.length; i++)
    for (let j = i; j > 0 && compareBytes(out[j - 1] ?? noHash, out[j] ?? noHash) > 0; j--)
      [out[j - 1], out[j]] = [out[j] ?? noHash, out[j - 1] ?? noHash];
  return out;
}

const noHash = new Uint8Array(0);

function firstOf(hash: Uint8Array): number {
  const [a, b, c, d] = [hash[0] ?? 0, hash[1] ?? 0, hash[2] ?? 0, hash[3] ?? 0];
  return ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  return compareAt(a, 0, b);
}

/** Hashes differ in their first bytes: a call of `Buffer.compare` costs more than to look at them. */
function compareAt(sorted: Uint8Array, offset: number, hash: Uint8Array): number {
  for (let i = 0; i < hashBytes; i++) {
    const difference = (sorted[offset + i] ?? 0) - (hash[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function joined(hashes: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(hashes.length * hashBytes);
  for (const [i, hash] of hashes.entries()) out.set(hash, i * hashBytes);
  return out;
}
