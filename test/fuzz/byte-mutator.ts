import type { Random } from "../../relay/random.ts";

/** Inputs stay below it: what is longer is refused unread at every door. */
export const inputBytesMax = 256 * 1024;

type Alteration = (bytes: Uint8Array, random: Random) => Uint8Array;

/** A place in the bytes, and a length from there that favours short ones. */
function span(bytes: Uint8Array, random: Random): [from: number, to: number] {
  const from = random.below(bytes.length + 1);
  const length = random.below(2 ** random.below(10)) + 1;
  return [from, Math.min(bytes.length, from + length)];
}

const flip: Alteration = (bytes, random) => {
  const copy = Uint8Array.from(bytes);
  const at = random.below(copy.length);
  if (copy.length > 0) copy[at] = (copy[at] ?? 0) ^ (1 << random.below(8));
  return copy;
};

const overwrite: Alteration = (bytes, random) => {
  const copy = Uint8Array.from(bytes);
  const [from, to] = span(bytes, random);
  const extremes = [0, 1, 0x7f, 0x80, 0xff];
  for (let at = from; at < to; at++)
    copy[at] = random.below(2) === 0 ? (extremes[random.below(5)] ?? 0) : random.below(256);
  return copy;
};

const truncate: Alteration = (bytes, random) => bytes.subarray(0, random.below(bytes.length + 1));

const remove: Alteration = (bytes, random) => {
  const [from, to] = span(bytes, random);
  return joined(bytes.subarray(0, from), bytes.subarray(to));
};

const duplicate: Alteration = (bytes, random) => {
  const [from, to] = span(bytes, random);
  return joined(bytes.subarray(0, to), bytes.subarray(from));
};

const insert: Alteration = (bytes, random) => {
  const at = random.below(bytes.length + 1);
  const more = Uint8Array.from({ length: 1 + random.below(16) }, () => random.below(256));
  return joined(bytes.subarray(0, at), more, bytes.subarray(at));
};

const alterations: readonly Alteration[] = [flip, overwrite, truncate, remove, duplicate, insert];

/** Alters bytes that may be anything. */
export function alterBytes(bytes: Uint8Array, random: Random): Uint8Array {
  return alterations[random.below(alterations.length)]?.(bytes, random) ?? bytes;
}

/** The beginning of one and the end of the other. */
export function splice(one: Uint8Array, other: Uint8Array, random: Random): Uint8Array {
  const head = one.subarray(0, random.below(one.length + 1));
  return joined(head, other.subarray(random.below(other.length + 1)));
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts)).subarray(0, inputBytesMax);
}
