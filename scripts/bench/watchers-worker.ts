// Many connections that say something once and then count the bytes that they hear.
import { connect } from "node:net";
import { DueCount } from "./due-count.ts";
import { serveVerbs } from "./worker.ts";

const bytes = new DueCount();

function dial(address: string, hello: Buffer): Promise<void> {
  const [host = "", port] = address.split(":");
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port: Number(port), noDelay: true });
    socket.once("error", reject).once("connect", () => {
      socket.write(hello);
      resolve();
    });
    socket.on("data", (chunk) => bytes.add(chunk.length));
  });
}

serveVerbs({
  dial: async (of: { address: string; count: number; hello: string }): Promise<void> => {
    const hello = Buffer.from(of.hello, "base64");
    for (let n = 0; n < of.count; n++) await dial(of.address, hello);
  },
  settle: (): Promise<number> => bytes.settle(),
  hear: ({ dueCount }: { dueCount: number }): Promise<number> => bytes.hear(dueCount),
});
