import { GrpcMessages } from "./grpc-messages.ts";

const lineEnd = "\r\n";
const headEnd = "\r\n\r\n";

/** Cuts the answer of a Connect stream over HTTP/1.1, its head included, into its messages. */
export class ChunkedMessages {
  readonly #messages = new GrpcMessages();
  #rest: Buffer = Buffer.alloc(0);
  #isHeadOver = false;

  /** Those that are whole once this has come. */
  take(bytes: Buffer): Buffer[] {
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    this.#passHead();
    const messages: Buffer[] = [];
    for (let chunk = this.#next(); chunk !== undefined; chunk = this.#next())
      messages.push(...this.#messages.take(chunk));
    return messages;
  }

  #passHead(): void {
    const end = this.#isHeadOver ? -1 : this.#rest.indexOf(headEnd);
    if (end === -1) return;
    this.#isHeadOver = true;
    this.#rest = this.#rest.subarray(end + headEnd.length);
  }

  /** RFC 9112, 7.1: the length in hex on a line of its own, the data, and the end of a line. */
  #next(): Buffer | undefined {
    const at = this.#isHeadOver ? this.#rest.indexOf(lineEnd) : -1;
    if (at === -1) return undefined;
    const from = at + lineEnd.length;
    const to = from + Number.parseInt(this.#rest.toString("latin1", 0, at), 16);
    if (this.#rest.length < to + lineEnd.length) return undefined;
    const chunk = this.#rest.subarray(from, to);
    this.#rest = this.#rest.subarray(to + lineEnd.length);
    return chunk;
  }
}
