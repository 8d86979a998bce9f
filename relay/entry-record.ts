import { HistoryRecordSchema } from "../gen/headwater/v1/ledgers_pb.ts";

const { key: keyField, before: beforeField, after: afterField } = HistoryRecordSchema.field;
const lengthDelimited = 2;

/** Field numbers below 16, and lengths below 2 ** 28. */
const tagBytes = 1;
const moreBit = 0x80;

/**
 * The encoding of a `HistoryRecord` of one entry, of which `common` is that of all that is the same in
 * those of one change: encodings of two parts of a message, end to end, are one of the whole. Ten thousand
 * records are made in one step, and this takes a fifth of the time of doing it by their schema.
 */
export function entryRecord(
  common: Uint8Array,
  of: { key: string; before: Uint8Array | undefined; after: Uint8Array | undefined },
): Uint8Array {
  const { key, before, after } = of;
  const keyLength = Buffer.byteLength(key);
  const length = common.length + fieldBytes(keyLength) + sizeOf(before) + sizeOf(after);
  const out = Buffer.allocUnsafeSlow(length);
  out.set(common);
  let at = putHead(out, common.length, keyField.number, keyLength);
  at += out.write(key, at);
  at = putBytes(out, at, beforeField.number, before);
  putBytes(out, at, afterField.number, after);
  return new Uint8Array(out.buffer, out.byteOffset, length);
}

function sizeOf(value: Uint8Array | undefined): number {
  return value === undefined ? 0 : fieldBytes(value.length);
}

function fieldBytes(length: number): number {
  let bytes = tagBytes + 1 + length;
  for (let rest = length; rest >= moreBit; rest >>>= 7) bytes++;
  return bytes;
}

function putBytes(
  out: Uint8Array,
  at: number,
  field: number,
  value: Uint8Array | undefined,
): number {
  if (value === undefined) return at;
  const start = putHead(out, at, field, value.length);
  out.set(value, start);
  return start + value.length;
}

/** The tag and the length, as varints; where what follows begins. */
function putHead(out: Uint8Array, at: number, field: number, length: number): number {
  let end = at;
  out[end++] = (field << 3) | lengthDelimited;
  let rest = length;
  for (; rest >= moreBit; rest >>>= 7) out[end++] = (rest % moreBit) | moreBit;
  out[end++] = rest;
  return end;
}
