import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";

/** A field as it stands on the wire, whatever schema it was written with. */
export interface WireField {
  field: number;
  value: WireValue;
}

export type WireValue =
  | { readonly kind: "varint"; readonly number: bigint }
  | { readonly kind: "fixed"; readonly bytes: Uint8Array }
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  | { readonly kind: "message"; readonly fields: WireField[] }
  /** The same field so many times. */
  | { readonly kind: "again"; readonly count: number; readonly value: WireValue };

/** Deeper than any message of ours. */
const depthMax = 12;

/**
 * The fields of a message, without its schema: bytes that read as a message are taken for one.
 * Undefined for what is no message.
 */
export function parseWire(bytes: Uint8Array, depth: number = 0): WireField[] | undefined {
  try {
    const reader = new BinaryReader(bytes);
    const fields: WireField[] = [];
    while (reader.pos < reader.len) {
      const [field, wireType] = reader.tag();
      const value = readValue(reader, wireType, depth);
      if (value === undefined) return undefined;
      fields.push({ field, value });
    }
    return fields;
  } catch {
    return undefined;
  }
}

function readValue(reader: BinaryReader, wireType: WireType, depth: number): WireValue | undefined {
  switch (wireType) {
    case WireType.Varint:
      return { kind: "varint", number: BigInt(reader.uint64()) };
    case WireType.Bit32:
      return { kind: "fixed", bytes: littleEndian(BigInt(reader.fixed32()), 4) };
    case WireType.Bit64:
      return { kind: "fixed", bytes: littleEndian(BigInt(reader.fixed64()), 8) };
    case WireType.LengthDelimited: {
      const bytes = reader.bytes();
      const fields =
        bytes.length < 2 || depth >= depthMax ? undefined : parseWire(bytes, depth + 1);
      return fields === undefined ? { kind: "bytes", bytes } : { kind: "message", fields };
    }
    case WireType.StartGroup:
    case WireType.EndGroup:
      return undefined;
  }
}

function littleEndian(number: bigint, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => Number((number >> BigInt(8 * at)) & 0xffn));
}

export function encodeWire(fields: readonly WireField[]): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [];
  for (const { field, value } of fields) parts.push(...encodeField(field, value));
  return new Uint8Array(Buffer.concat(parts));
}

function encodeField(field: number, value: WireValue): Uint8Array[] {
  const tag = (wireType: WireType): Uint8Array => varint(BigInt(field * 8 + wireType));
  switch (value.kind) {
    case "varint":
      return [tag(WireType.Varint), varint(value.number)];
    case "fixed":
      return [tag(value.bytes.length === 4 ? WireType.Bit32 : WireType.Bit64), value.bytes];
    case "bytes":
      return [tag(WireType.LengthDelimited), varint(BigInt(value.bytes.length)), value.bytes];
    case "message": {
      const bytes = encodeWire(value.fields);
      return [tag(WireType.LengthDelimited), varint(BigInt(bytes.length)), bytes];
    }
    case "again":
      return Array<Uint8Array>(value.count).fill(encodeWire([{ field, value: value.value }]));
  }
}

/** https://protobuf.dev/programming-guides/encoding/#varints */
function varint(number: bigint): Uint8Array {
  const bytes: number[] = [];
  for (let rest = number; ; rest >>= 7n) {
    if (rest < 128n) return Uint8Array.from([...bytes, Number(rest)]);
    bytes.push(Number(rest & 127n) + 128);
  }
}

/** Every list of fields in a message, the outermost first. */
export function listsOf(fields: WireField[]): WireField[][] {
  const inner = fields.flatMap(({ value }) =>
    value.kind === "message" ? listsOf(value.fields) : [],
  );
  return [fields, ...inner];
}
