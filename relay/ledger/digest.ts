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
    return new SetDigest(joined([...hashes].sort(compareBytes)));
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
    const removed = [...change.removed].sort(compareBytes);
    const added = [...change.added].sort(compareBytes);
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
