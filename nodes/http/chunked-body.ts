import type { OutgoingHttpHeaders, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { HttpRequest, HttpResponse } from "./http-handler.ts";

/** Data as one chunk of a body of unknown length (RFC 9112, 7.1), made once for all who get it. */
export function chunkOf(data: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`${data.length.toString(16)}\r\n`), data, Buffer.from("\r\n")]);
}

/**
 * The body of an answer over HTTP/1.1, whose chunks go to the socket as they are. Node's
 * own `write` would frame them anew for each socket.
 */
export class ChunkedBody {
  readonly #response: ServerResponse;
  readonly #socket: Socket;
  #isEnded = false;

  private constructor(response: ServerResponse, socket: Socket) {
    this.#response = response;
    this.#socket = socket;
  }

  /**
   * Sends the headers; undefined, and nothing done, where the answer can have no such body: over
   * HTTP/2, to a client of HTTP/1.0, behind another answer on the same connection.
   */
  static begin(
    request: HttpRequest,
    response: HttpResponse,
    headers: OutgoingHttpHeaders,
  ): ChunkedBody | undefined {
    if (!canChunk(request, response)) return undefined;
    response.writeHead(200, headers).flushHeaders();
    return new ChunkedBody(response, response.socket);
  }

  /** Whether the socket holds all that it should: what is written now waits in memory. */
  get isFull(): boolean {
    return this.#socket.writableNeedDrain;
  }

  onceDrained(listener: () => void): void {
    this.#socket.once("drain", listener);
  }

  write(chunk: Buffer): void {
    if (!this.#isEnded && this.#socket.writable) this.#socket.write(chunk);
  }

  /** Nothing is written after it: the connection may carry another answer by then. */
  end(chunk: Buffer): void {
    this.write(chunk);
    this.#isEnded = true;
    this.#response.end();
  }
}

function canChunk(
  request: HttpRequest,
  response: HttpResponse,
): response is ServerResponse & { socket: Socket } {
  const isHttp11 = request.httpVersionMajor === 1 && request.httpVersionMinor === 1;
  return isHttp11 && "detachSocket" in response && response.socket !== null;
}
