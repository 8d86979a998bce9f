import type { Server as Http1Server } from "node:http";
import {
  constants,
  type Http2Server,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import type { Socket } from "node:net";
import { streamTakenBytesMin } from "../../relay/limits.ts";
import type { Deadlines } from "./deadlines.ts";

/** Watches over the connections of one server. */
export interface ConnectionGuard {
  /** Ends what is idle, and everything else as soon as it becomes so. */
  drain(): void;
}

/**
 * A stream may be silent for as long as it likes, unless its peer does not take what it was sent:
 * then it holds memory for nothing.
 */
export function guardHttp1(server: Http1Server, { silenceMs }: Deadlines): ConnectionGuard {
  const inProgress = new Map<Socket, number>();
  let draining = false;
  const count = (socket: Socket, change: 1 | -1): number => {
    const requestsCount = (inProgress.get(socket) ?? 0) + change;
    if (!socket.destroyed) inProgress.set(socket, requestsCount);
    return requestsCount;
  };
  server.on("connection", (socket) => {
    inProgress.set(socket, 0);
    socket.once("close", () => inProgress.delete(socket));
  });
  server.on("request", ({ socket }, response) => {
    count(socket, 1);
    response.once("close", () => {
      if (count(socket, -1) === 0 && draining) socket.destroySoon();
    });
  });
  server.setTimeout(silenceMs, (socket) => {
    if (socket.writableLength > 0 || (inProgress.get(socket) ?? 0) === 0) socket.destroy();
  });
  const drain = (): void => {
    draining = true;
    for (const [socket, requestsCount] of inProgress) if (requestsCount === 0) socket.destroySoon();
  };
  return { drain };
}

/**
 * The same for connections that were taken out of HTTP, each with one answer that ends it. One timer
 * looks at all of them: one of its own for each would be renewed with all that is written.
 */
export function guardTaken({
  silenceMs,
}: Pick<Deadlines, "silenceMs">): ConnectionGuard & { add(socket: Socket): void } {
  const sockets = new Set<Socket>();
  /** What had been taken of those that had more to take. */
  let before = new Map<Socket, number>();
  const look = (): void => {
    const now = new Map<Socket, number>();
    for (const socket of sockets) {
      if (socket.writableLength === 0) continue;
      const takenBytes = socket.bytesWritten - socket.writableLength;
      if (before.get(socket) === takenBytes) socket.destroy();
      else now.set(socket, takenBytes);
    }
    before = now;
  };
  const looking = setInterval(look, silenceMs).unref();
  return {
    add: (socket) => {
      sockets.add(socket);
      socket.once("close", () => sockets.delete(socket));
    },
    drain: () => clearInterval(looking),
  };
}

/** Adds what HTTP/2 in Node has no setting for: a deadline for the body of a request. */
export function guardHttp2(server: Http2Server, deadlines: Deadlines): ConnectionGuard {
  const { requestMs, silenceMs } = deadlines;
  const sessions = new Map<ServerHttp2Session, ReadonlySet<ServerHttp2Stream>>();
  const slowness = new Slowness();
  server.on("session", (session) => {
    const streams = new Set<ServerHttp2Stream>();
    sessions.set(session, streams);
    session.once("close", () => sessions.delete(session));
    session.on("stream", (stream) => {
      streams.add(stream);
      stream.once("close", () => streams.delete(stream));
      stream.on("drain", () => slowness.forget(stream));
      if (!stream.endAfterHeaders) limitBody(stream, requestMs);
    });
    session.setTimeout(silenceMs, () => {
      if (streams.size === 0) session.close();
      else cut(session, [...streams].filter(isWaiting), silenceMs);
    });
  });
  // A session is not silent while other streams go on, or its peer sends pings.
  const looking = setInterval(() => {
    for (const [session, streams] of sessions)
      cut(session, [...streams].filter(slowness.isTooMuch), silenceMs);
  }, silenceMs).unref();
  const drain = (): void => {
    clearInterval(looking);
    for (const session of sessions.keys()) session.close();
  };
  return { drain };
}

function isWaiting({ writableLength }: ServerHttp2Stream): boolean {
  return writableLength > 0;
}

/** For how many looks in a row streams have had something to take, and have not come to its end. */
class Slowness {
  readonly #seen = new WeakMap<ServerHttp2Stream, { bytes: number; looksCount: number }>();

  forget(stream: ServerHttp2Stream): void {
    this.#seen.delete(stream);
  }

  readonly isTooMuch = (stream: ServerHttp2Stream): boolean => {
    const bytes = stream.writableLength;
    const before = this.#seen.get(stream);
    const isSlow = before !== undefined && bytes > 0 && bytes >= before.bytes;
    const looksCount = isSlow ? before.looksCount + 1 : 0;
    this.#seen.set(stream, { bytes, looksCount });
    return looksCount > bytes / streamTakenBytesMin;
  };
}

/**
 * A stream whose peer does not take what it was sent goes alone, as a proxy carries those of many apps
 * on one connection; a peer that does not even answer to a ping takes nothing at all.
 */
function cut(
  session: ServerHttp2Session,
  stalled: readonly ServerHttp2Stream[],
  silenceMs: number,
): void {
  // One that was destroyed in this turn closes in the next, and throws at a ping.
  if (stalled.length === 0 || session.destroyed) return;
  for (const stream of stalled) stream.close(constants.NGHTTP2_CANCEL);
  const late = setTimeout(() => session.destroy(), silenceMs);
  session.ping(() => clearTimeout(late));
}

function limitBody(stream: ServerHttp2Stream, requestMs: number): void {
  const late = setTimeout(() => stream.close(constants.NGHTTP2_CANCEL), requestMs);
  const stop = (): void => clearTimeout(late);
  stream.once("end", stop).once("close", stop);
}
