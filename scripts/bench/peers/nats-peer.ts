import { connect } from "nats";
import { freeAddress, portOf } from "./free-address.ts";
import { PeerProcess } from "./peer-process.ts";
import type { PeerServer } from "./peer-server.ts";

const subject = "flags";

/** nats-server: what is published goes to all who subscribe, and nothing is kept. */
export async function openNats(
  program: string,
  bytesCount: number,
): Promise<PeerServer & AsyncDisposable> {
  const address = await freeAddress();
  const args = ["--addr", "127.0.0.1", "--port", portOf(address)];
  const process = await PeerProcess.open({ program, args: () => args, address });
  const publisher = await connect({ servers: address });
  return {
    process,
    change: async () => {
      publisher.publish(subject, Buffer.alloc(bytesCount, 1));
      await publisher.flush();
    },
    clients: { file: "nats-watchers-worker.ts", dial: { address, subject } },
    [Symbol.asyncDispose]: async () => {
      await publisher.close();
      await process[Symbol.asyncDispose]();
    },
  };
}
