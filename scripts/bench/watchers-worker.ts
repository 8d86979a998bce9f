// Many connections that say something once and then count what they hear.
import { connect, type Socket } from "node:net";
import { serveVerbs } from "./worker.ts";

const sockets: Socket[] = [];
let heardBytes = 0;
let heard: (() => void) | undefined;
let due = Number.POSITIVE_INFINITY;

function dial(address: string, hello: Buffer): Promise<void> {
  const [host = "", port] = address.split(":");
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port: Number(port), noDelay: true });
    sockets.push(socket);
    socket.once("error", reject).once("connect", () => {
      socket.write(hello);
      resolve();
    });
    socket.on("data", (chunk) => {
      heardBytes += chunk.length;
      if (heardBytes >= due) heard?.();
    });
  });
}

serveVerbs({
  dial: async (of: { address: string; count: number; hello: string }): Promise<void> => {
    const hello = Buffer.from(of.hello, "base64");
    for (let n = 0; n < of.count; n++) await dial(of.address, hello);
  },
  /** How many bytes came in all once nothing has come for a while. */
  settle: async (): Promise<number> => {
    for (let before = -1; before !== heardBytes; await pause(150)) before = heardBytes;
    return heardBytes;
  },
  /** When so many bytes have come in all, in milliseconds since 1970, to the microsecond. */
  hear: ({ bytesCount }: { bytesCount: number }): Promise<number> => {
    due = bytesCount;
    return new Promise((resolve) => {
      heard = () => {
        due = Number.POSITIVE_INFINITY;
        resolve(performance.timeOrigin + performance.now());
      };
      if (heardBytes >= due) heard();
    });
  },
});

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
