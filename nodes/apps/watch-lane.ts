import { fromBinary, fromJsonString, toBinary, toJsonString } from "@bufbuild/protobuf";
import {
  FlagService,
  type WatchRequest,
  WatchRequestSchema,
  type WatchResponse,
  WatchResponseSchema,
} from "../../gen/headwater/v1/apps_pb.ts";
import { appRequestBytesMax } from "../../relay/limits.ts";
import { HeadwaterError } from "../error.ts";
import { ChunkedBody, chunkOf } from "../http/chunked-body.ts";
import { envelope, errorEnvelope, onlyMessage } from "../http/connect-envelope.ts";
import {
  type HttpRequest,
  type HttpResponse,
  type HttpRoute,
  pathOf,
} from "../http/http-handler.ts";
import type { ConnectionLane } from "../http/listener.ts";
import { stopping } from "../http/message-stream.ts";
import { plainRequest } from "../http/plain-request.ts";
import { readBody } from "../http/request-body.ts";
import type { Standing } from "./standing.ts";
import type { Onlooker } from "./watch-group.ts";
import { checkWatchTarget, type WatchStreams } from "./watch-stream.ts";
import type { Watcher } from "./watcher.ts";

const path = `/${FlagService.typeName}/${FlagService.method.watch.name}`;

/** How messages are written, and the frames of a stream that are ready for its sockets. */
interface Format {
  readonly read: (message: Buffer) => WatchRequest;
  readonly write: (frame: WatchResponse) => Uint8Array;
  readonly ready: ReadyChunks;
}

/** Frames as chunks for sockets, each encoded once. */
class ReadyChunks {
  readonly #all = new WeakMap<WatchResponse, Buffer>();
  /** Nearly all who are written to one after the other get the same. */
  #last: { readonly frame: WatchResponse; readonly chunk: Buffer } | undefined;

  of(frame: WatchResponse, encode: Format["write"]): Buffer {
    if (this.#last?.frame === frame) return this.#last.chunk;
    const chunk = this.#all.get(frame) ?? chunkOf(envelope(encode(frame)));
    this.#all.set(frame, chunk);
    this.#last = { frame, chunk };
    return chunk;
  }
}

/**
 * Watch streams of the Connect protocol over HTTP/1.1, which is what our SDKs speak: each frame is
 * encoded once for all who get it, and written to their sockets as it is. Everything else that can
 * be asked for, such as compression, deadlines, gRPC or HTTP/2, is left to Connect.
 */
export class WatchLane {
  readonly #streams: WatchStreams;
  readonly #shutdown: AbortSignal;
  readonly #onCall: (path: string) => void;
  readonly #open = new Set<LaneStream>();
  /** By what clients may say, which is anything: `constructor` is no format. */
  readonly #formats: ReadonlyMap<string, Format> = new Map([
    [
      "application/connect+proto",
      {
        read: (message: Buffer) => fromBinary(WatchRequestSchema, message),
        write: (frame: WatchResponse) => toBinary(WatchResponseSchema, frame),
        ready: new ReadyChunks(),
      },
    ],
    [
      "application/connect+json",
      {
        read: (message: Buffer) =>
          fromJsonString(WatchRequestSchema, message.toString(), { ignoreUnknownFields: true }),
        write: (frame: WatchResponse) => Buffer.from(toJsonString(WatchResponseSchema, frame)),
        ready: new ReadyChunks(),
      },
    ],
  ]);

  constructor(of: {
    streams: WatchStreams;
    shutdown: AbortSignal;
    /** Told of each stream whose connection is taken. */
    onCall: (path: string) => void;
  }) {
    this.#streams = of.streams;
    this.#shutdown = of.shutdown;
    this.#onCall = of.onCall;
    of.shutdown.addEventListener("abort", () => this.#endAll(), { once: true });
  }

  /**
   * A connection that has brought a request for a stream and nothing else is served without Node's
   * HTTP: its parser, request and response would be most of the memory of the stream. What is wrong
   * with a request is told over HTTP.
   */
  readonly connection: ConnectionLane = (socket, firstBytes) => {
    const request = plainRequest(firstBytes);
    const format = request && this.#formatOf(request);
    if (request === undefined || format === undefined || this.#shutdown.aborted) return false;
    const stream = new LaneStream({ body: ChunkedBody.alone(socket), format });
    try {
      this.#enter(stream, readTarget(onlyMessage(request.body), format));
    } catch (thrown) {
      if (thrown instanceof HeadwaterError) return false;
      throw thrown;
    }
    stream.body.begin(contentType(request));
    // Nothing more is to come; that the other end has gone is noticed only by who listens.
    socket.once("close", () => this.#leave(stream)).once("data", () => socket.destroy());
    this.#onCall(path);
    return true;
  };

  readonly route: HttpRoute = (request, response) => {
    const format = this.#formatOf(request);
    const body = format && ChunkedBody.answering(request, response);
    if (format === undefined || body === undefined) return undefined;
    body.begin(contentType(request));
    return this.#serve(request, response, { body, format });
  };

  async #serve(
    request: HttpRequest,
    response: HttpResponse,
    of: { body: ChunkedBody; format: Format },
  ): Promise<void> {
    try {
      const message = onlyMessage(await readBody(request, appRequestBytesMax));
      const target = readTarget(message, of.format);
      if (this.#shutdown.aborted) throw stopping();
      if (response.destroyed) return;
      const stream = new LaneStream(of);
      this.#enter(stream, target);
      response.once("close", () => this.#leave(stream));
    } catch (thrown) {
      // Anything else is our fault, or a client that has gone: that is told apart, and logged, above.
      if (!(thrown instanceof HeadwaterError)) throw thrown;
      of.body.end(chunkOf(errorEnvelope(thrown)));
    }
  }

  /** Undefined where more is asked for than the stream, or in another format. */
  #formatOf(request: Pick<HttpRequest, "method" | "url" | "headers">): Format | undefined {
    return isPlain(request) ? this.#formats.get(contentType(request)) : undefined;
  }

  /** @throws HeadwaterError `limit` past the bound on streams */
  #enter(stream: LaneStream, target: WatchRequest): void {
    stream.watcher = this.#streams.enter(target, stream);
    this.#open.add(stream);
  }

  #leave(stream: LaneStream): void {
    this.#open.delete(stream);
    if (stream.watcher !== undefined) this.#streams.leave(stream.watcher);
    stream.watcher = undefined;
  }

  #endAll(): void {
    for (const stream of this.#open) stream.end(chunkOf(errorEnvelope(stopping())));
  }
}

/** The stream to one app. */
class LaneStream implements Onlooker {
  readonly body: ChunkedBody;
  readonly #format: Format;
  /** Undefined before it is entered and after it was left: then nothing is owed. */
  watcher: Watcher | undefined;
  #isWaiting = false;

  constructor(of: { body: ChunkedBody; format: Format }) {
    this.body = of.body;
    this.#format = of.format;
  }

  /** Writes what is owed, or, while the socket is full, what will be by the time that it has room. */
  see(now?: Standing): void {
    if (this.#isWaiting) return;
    if (this.body.isFull) return this.#waitForRoom();
    const frame = this.watcher?.take(now);
    if (frame !== undefined) this.body.write(this.#format.ready.of(frame, this.#format.write));
  }

  #waitForRoom(): void {
    this.#isWaiting = true;
    this.body.onceDrained(() => {
      this.#isWaiting = false;
      this.see();
    });
  }

  end(chunk: Buffer): void {
    this.body.end(chunk);
  }
}

/** @throws HeadwaterError `invalid` */
function readTarget(message: Buffer, { read }: Format): WatchRequest {
  let target: WatchRequest;
  try {
    target = read(message);
  } catch (cause) {
    throw new HeadwaterError({ kind: "invalid", message: "body: no WatchRequest", cause });
  }
  checkWatchTarget(target);
  return target;
}

/** What asks for nothing but the stream. */
function isPlain(request: Pick<HttpRequest, "method" | "url" | "headers">): boolean {
  const { headers } = request;
  const encoding = headers["connect-content-encoding"] ?? "identity";
  return (
    request.method === "POST" &&
    pathOf(request) === path &&
    encoding === "identity" &&
    headers["content-encoding"] === undefined &&
    headers["connect-timeout-ms"] === undefined
  );
}

function contentType(request: Pick<HttpRequest, "headers">): string {
  return request.headers["content-type"] ?? "";
}
