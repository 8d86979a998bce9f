/**
 * Bytes to keep. What came in a frame is a view of it, and one of 32 bytes would hold all of the
 * frame's buffer, which may be 64 KiB, for as long as it is kept.
 */
export function ownBytes(bytes: Uint8Array): Uint8Array {
  return bytes.byteLength === bytes.buffer.byteLength ? bytes : new Uint8Array(bytes);
}
