// Many apps, as far as the wire goes: connections that say what they want and count what they hear.
import { connect } from "node:net";
import { ChunkedMessages } from "./chunked-messages.ts";
import { DueCount } from "./due-count.ts";
import { serveVerbs } from "./worker.ts";

/** The field of a `WatchResponse` that holds a delta, as its bytes begin. */
const deltaTag = 2 * 8 + 2;

const deltas = new DueCount();
let lastDelta: Buffer = Buffer.alloc(0);

serveVerbs({
  dial: async (of: { address: string; count: number; hello: string }): Promise<void> => {
    const hello = Buffer.from(of.hello, "base64");
    for (let n = 0; n < of.count; n++) await dial(of.address, hello);
  },
  hear: ({ dueCount }: { dueCount: number }): Promise<number> => deltas.hear(dueCount),
  /** Base64; one that was heard. */
  delta: (): string => lastDelta.toString("base64"),
});

/** Resolves with the first message. */
function dial(address: string, hello: Buffer): Promise<void> {
  const [host = "", port] = address.split(":");
  const messages = new ChunkedMessages();
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port: Number(port), noDelay: true });
    socket.once("error", reject).once("connect", () => socket.write(hello));
    socket.on("data", (chunk) => {
      for (const message of messages.take(chunk)) {
        resolve();
        if (message[0] !== deltaTag) continue;
        lastDelta = message;
        deltas.add(1);
      }
    });
  });
}
