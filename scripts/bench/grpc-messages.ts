/** A byte that says whether it is compressed, and four of length: the head of a gRPC message. */
const headBytes = 5;

/** A message as it stands in a stream of gRPC. */
export function grpcMessage(bytes: Uint8Array): Buffer {
  const message = Buffer.alloc(headBytes + bytes.length);
  message.writeUInt32BE(bytes.length, 1);
  message.set(bytes, headBytes);
  return message;
}

/** Cuts a stream of gRPC into its messages. */
export class GrpcMessages {
  #rest: Buffer = Buffer.alloc(0);

  /** Those that are whole once this has come. */
  take(chunk: Buffer): Buffer[] {
    let rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const messages: Buffer[] = [];
    while (rest.length >= headBytes) {
      const end = headBytes + rest.readUInt32BE(1);
      if (rest.length < end) break;
      messages.push(rest.subarray(headBytes, end));
      rest = rest.subarray(end);
    }
    this.#rest = rest;
    return messages;
  }
}
