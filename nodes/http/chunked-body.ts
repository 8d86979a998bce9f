import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { HttpRequest, HttpResponse } from "./http-handler.ts";

const lastChunk = "0\r\n\r\n";

/** Data as one chunk of a body of unknown length (RFC 9112, 7.1), made once for all who get it. */
export function chunkOf(data: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`${data.length.toString(16)}\r\n`), data, Buffer.from("\r\n")]);
}

/**
 * The body of an answer over HTTP/1.1, whose chunks go to the socket as they are. Node's
 * own `write` would frame them anew for each socket.
 */
export class ChunkedBody {
  readonly #socket: Socket;
  /** Undefined where the connection is for this body alone. */
  readonly #response: ServerResponse | undefined;
  #isEnded = false;

  private constructor(socket: Socket, response?: ServerResponse) {
    this.#socket = socket;
    this.#response = response;
  }

  /** On a connection that Node's server does not know of, and that ends with it. */
  static alone(socket: Socket): ChunkedBody {
    return new ChunkedBody(socket);
  }

  /**
   * Undefined where the answer can have no such body: over HTTP/2, to a client of HTTP/1.0, behind
   * another answer on the same connection.
   */
  static answering(request: HttpRequest, response: HttpResponse): ChunkedBody | undefined {
    return canChunk(request, response) ? new ChunkedBody(response.socket, response) : undefined;
  }

  /** Sends the headers. */
  begin(contentType: string): void {
    const response = this.#response;
    if (response === undefined) this.#socket.write(headOf(contentType));
    else response.writeHead(200, { "content-type": contentType }).flushHeaders();
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
    if (this.#isEnded) return;
    this.write(chunk);
    this.#isEnded = true;
    if (this.#response === undefined) this.#socket.end(lastChunk);
    else this.#response.end();
  }
}

function headOf(contentType: string): string {
  const lines = [
    "HTTP/1.1 200 OK",
    `content-type: ${contentType}`,
    `date: ${new Date().toUTCString()}`,
    "connection: close",
    "transfer-encoding: chunked",
  ];
  return `${lines.join("\r\n")}\r\n\r\n`;
}

function canChunk(
  request: HttpRequest,
  response: HttpResponse,
): response is ServerResponse & { socket: Socket } {
  const isHttp11 = request.httpVersionMajor === 1 && request.httpVersionMinor === 1;
  return isHttp11 && "detachSocket" in response && response.socket !== null;
}
