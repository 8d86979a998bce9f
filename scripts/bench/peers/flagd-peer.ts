import { join } from "node:path";
import { Worker } from "../worker.ts";
import { type FlagdProcess, openFlagd } from "./flagd-process.ts";
import type { PeerServer } from "./peer-server.ts";

/** What an app or another flagd asks for: everything, and again at each change. */
export const syncFlags = {
  path: "/flagd.sync.v1.FlagSyncService/SyncFlags",
  hello: "",
  isOpen: false,
} as const;

/** flagd with so many flags, one of which changes. */
export async function openFlagdPeer(
  program: string,
  flagsCount: number,
): Promise<PeerServer & AsyncDisposable> {
  const source = new Worker(join(import.meta.dirname, "flagd-source-worker.ts"));
  const flagd: FlagdProcess = await openFlagd(
    program,
    await source.ask<string>("start", { flagsCount }),
  );
  return {
    process: flagd.process,
    change: (round) => source.ask("change", { number: 2_000 + round }),
    clients: { file: "grpc-watchers-worker.ts", dial: { address: flagd.sync, ...syncFlags } },
    [Symbol.asyncDispose]: async () => {
      await flagd[Symbol.asyncDispose]();
      await source[Symbol.asyncDispose]();
    },
  };
}
