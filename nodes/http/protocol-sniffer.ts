import type { Socket } from "node:net";

export type HttpVersion = "http1" | "http2";

/** What every HTTP/2 client sends first (RFC 9113, section 3.4). */
const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

/**
 * Tells from its first bytes which version of HTTP a connection speaks, and gives them back: they are
 * to be read again. A connection that ends, or stays silent for too long, is destroyed and never
 * reported.
 */
export function sniffProtocol(
  socket: Socket,
  deadlineMs: number,
  onKnown: (version: HttpVersion, firstBytes: Buffer) => void,
): void {
  let seen: Buffer = Buffer.alloc(0);
  const timer = setTimeout(() => socket.destroy(), deadlineMs);
  const onReadable = (): void => {
    for (let chunk = socket.read(); chunk !== null; chunk = socket.read())
      seen = Buffer.concat([seen, chunk]);
    const version = versionOf(seen);
    if (version === undefined) return;
    stop();
    onKnown(version, seen);
  };
  const onEnd = (): void => {
    socket.destroy();
  };
  const stop = (): void => {
    clearTimeout(timer);
    socket.off("readable", onReadable).off("end", onEnd).off("close", stop);
  };
  socket.on("error", ignore);
  socket.on("readable", onReadable).on("end", onEnd).on("close", stop);
}

/**
 * Whoever is served hears of a lost connection elsewhere; before that, it is no event. Made in here
 * it would keep all of the above for as long as the connection lasts.
 */
function ignore(): void {}

/** Undefined while the bytes could still become either. */
function versionOf(seen: Buffer): HttpVersion | undefined {
  const length = Math.min(seen.length, preface.length);
  if (!seen.subarray(0, length).equals(preface.subarray(0, length))) return "http1";
  return length === preface.length ? "http2" : undefined;
}
