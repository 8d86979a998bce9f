import { connect, type Socket } from "node:net";

/** A TCP connection that says and hears bytes, as no HTTP client would. */
export interface RawConnection {
  readonly socket: Socket;
  /** All that was heard so far. */
  heard(): string;
  readonly closed: Promise<void>;
}

export async function openRaw(address: string): Promise<RawConnection> {
  const [, host, port] = /^(.*):(\d+)$/.exec(address) ?? [];
  const socket = connect({ host: host ?? "", port: Number(port) });
  let heard = "";
  socket.on("data", (chunk) => {
    heard += chunk.toString("latin1");
  });
  // A connection that is cut may be reset: for whoever waits for its end that is one.
  socket.on("error", () => undefined);
  const closed = new Promise<void>((resolve) => {
    socket.once("close", () => resolve());
  });
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve).once("error", reject);
  });
  return { socket, heard: () => heard, closed };
}
