import { join } from "node:path";
import { type Clients, type Server, Side } from "../rounds.ts";
import { Worker } from "../worker.ts";
import type { PeerProcess } from "./peer-process.ts";

/** A peer that serves changes, and the clients that hear of them. */
export interface PeerServer {
  readonly process: PeerProcess;
  change: Server["change"];
  /** In which of our programs its clients are, and what that is asked with. */
  readonly clients: { readonly file: string; readonly dial: Readonly<Record<string, unknown>> };
}

/** So many clients, to be measured beside others. */
export async function openPeer(
  stack: AsyncDisposableStack,
  { process, change, clients }: PeerServer,
  count: number,
): Promise<Side> {
  const worker = stack.use(new Worker(join(import.meta.dirname, clients.file)));
  const dial: Clients["dial"] = (of) => worker.ask("dial", { ...clients.dial, ...of });
  return Side.open({ process, change }, { worker, count, dial });
}
