import { type DescMessage, fromBinary, type MessageShape } from "@bufbuild/protobuf";

/** A message, or undefined for bytes that are none: edges refuse those before anything is told. */
export function readOr<D extends DescMessage>(
  schema: D,
  bytes: Uint8Array,
): MessageShape<D> | undefined {
  try {
    return fromBinary(schema, bytes);
  } catch {
    return undefined;
  }
}
