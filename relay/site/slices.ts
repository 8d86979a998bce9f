import { sha256 } from "../trust/key.ts";

/** Slices that the keys of a set fall into: what differs in one is looked for in it alone. */
const slicesCount = 256;

const digestBytes = 4;

/** A record as it is compared: the slice of its key, and a hash of what is held under it. */
export interface Stamp {
  readonly slice: number;
  readonly hash: number;
}

/** Equal for equal keys and versions. */
export function stampOf(key: string, version: string): Stamp {
  const text = new TextEncoder();
  const slice = sha256(text.encode(key))[0] ?? 0;
  const hash = Buffer.from(sha256(text.encode(`${key} ${version}`))).readUInt32BE(0);
  return { slice, hash };
}

/** A digest of each slice, in whatever order the stamps come; empty for no stamps. */
export function slicesOf(stamps: Iterable<Stamp>): Uint8Array {
  const digests = new Uint32Array(slicesCount);
  for (const { slice, hash } of stamps) digests[slice] = (digests[slice] ?? 0) ^ hash;
  if (digests.every((digest) => digest === 0)) return new Uint8Array(0);
  const bytes = Buffer.alloc(slicesCount * digestBytes);
  for (const [slice, digest] of digests.entries()) bytes.writeUInt32BE(digest, slice * digestBytes);
  return new Uint8Array(bytes);
}

/** The slices in which two sets are not the same. Anything that is no digest stands for nothing. */
export function slicesApart(ours: Uint8Array, theirs: Uint8Array): ReadonlySet<number> {
  const [one, other] = [readSlices(ours), readSlices(theirs)];
  const apart = new Set<number>();
  for (let slice = 0; slice < slicesCount; slice++)
    if (one.readUInt32BE(slice * digestBytes) !== other.readUInt32BE(slice * digestBytes))
      apart.add(slice);
  return apart;
}

function readSlices(bytes: Uint8Array): Buffer {
  const whole = slicesCount * digestBytes;
  return bytes.length === whole ? Buffer.from(bytes) : Buffer.alloc(whole);
}
