/**
 * The version of the bucketing rule below. A flag carries its rule's version for life, so that a
 * later rule never re-buckets a live rollout.
 */
export const HASH_VERSION = 2;

/** Everybody, in basis points: 100 %. */
export const BASIS_POINTS_MAX = 10_000;

/** One running copy of an app, as seen by one flag. */
export interface FlagInstance {
  readonly flag: string;
  readonly instance: string;
}

/** The question whether an instance is in the share of a flag's base that is on. */
export interface FlagShare extends FlagInstance {
  readonly basisPoints: number;
}

/**
 * The place of an instance on a flag's line from 0 to 2^32 - 1: MurmurHash3_x86_32 with seed 0 of
 * the UTF-8 bytes of flag and instance, one right after the other. Equal to the hash of flagd's
 * `fractional`, second version. A lone surrogate counts as U+FFFD, as in the WHATWG encoding
 * standard. Algorithm and constants: MurmurHash3.cpp of github.com/aappleby/smhasher.
 */
export function bucketOf({ flag, instance }: FlagInstance): number {
  const unitsCount = flag.length + instance.length;
  let hash = 0;
  let block = 0;
  let bytesCount = 0;
  for (let at = 0; at < unitsCount; at++) {
    let bytes = unitAt(flag, instance, at);
    if (bytes >= 0x80) {
      const codePoint = scalarAt(flag, instance, at);
      if (codePoint > 0xffff) at++;
      bytes = utf8Of(codePoint);
    }
    // No byte of a longer sequence is 0, so what is left is 0 only at the sequence's end.
    do {
      block |= (bytes & 0xff) << ((bytesCount & 3) << 3);
      bytesCount++;
      if ((bytesCount & 3) === 0) {
        hash = mixedWith(hash, block);
        block = 0;
      }
      bytes >>>= 8;
    } while (bytes !== 0);
  }
  return avalanched(hash ^ scrambled(block) ^ bytesCount);
}

/**
 * Where in the base an instance lies for a flag, 0 to 9999: `(bucket * 10000) >> 32`. Exact in
 * doubles: the product is below 2^46, and dividing by a power of two loses nothing.
 */
export function basisPointOf(of: FlagInstance): number {
  return Math.floor((bucketOf(of) * BASIS_POINTS_MAX) / 2 ** 32);
}

/**
 * Whether an instance is in `basisPoints` of a flag (an integer; 0 is nobody, 10000 everybody).
 * Raising `basisPoints` only ever adds instances.
 */
export function isIn(share: FlagShare): boolean {
  return basisPointOf(share) < share.basisPoints;
}

/** Reads two strings as if they were joined, because joining would allocate. */
function unitAt(flag: string, instance: string, at: number): number {
  return at < flag.length ? flag.charCodeAt(at) : instance.charCodeAt(at - flag.length);
}

function scalarAt(flag: string, instance: string, at: number): number {
  const unit = unitAt(flag, instance, at);
  if (unit < 0xd800 || unit > 0xdfff) return unit;
  // Past the end this is NaN, which is no low surrogate.
  const next = unitAt(flag, instance, at + 1);
  const isPair = unit < 0xdc00 && next >= 0xdc00 && next <= 0xdfff;
  return isPair ? 0x10000 + ((unit - 0xd800) << 10) + (next - 0xdc00) : 0xfffd;
}

/** UTF-8 of a code point from 0x80 on, its first byte lowest: the order in which they are hashed. */
function utf8Of(codePoint: number): number {
  const last = 0x80 | (codePoint & 0x3f);
  if (codePoint < 0x800) return (last << 8) | 0xc0 | (codePoint >> 6);
  const second = 0x80 | ((codePoint >> 6) & 0x3f);
  if (codePoint < 0x10000) return (last << 16) | (second << 8) | 0xe0 | (codePoint >> 12);
  const third = 0x80 | ((codePoint >> 12) & 0x3f);
  return (last << 24) | (second << 16) | (third << 8) | 0xf0 | (codePoint >> 18);
}

function mixedWith(hash: number, block: number): number {
  return (Math.imul(rotatedLeft(hash ^ scrambled(block), 13), 5) + 0xe6546b64) | 0;
}

function scrambled(block: number): number {
  return Math.imul(rotatedLeft(Math.imul(block, 0xcc9e2d51), 15), 0x1b873593);
}

function rotatedLeft(word: number, bitsCount: number): number {
  return (word << bitsCount) | (word >>> (32 - bitsCount));
}

function avalanched(word: number): number {
  let mixed = word;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
