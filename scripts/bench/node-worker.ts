// A node in a process of its own.
import process from "node:process";
import { readConfig } from "../../nodes/config/config.ts";
import type { Log } from "../../nodes/log.ts";
import { openLog } from "../../nodes/log.ts";
import { openNode } from "../../nodes/main.ts";
import { serveVerbs } from "./worker.ts";

export interface NodeAddresses {
  /** `host:port`, like the two below. */
  readonly apps: string;
  readonly mesh: string;
  readonly admin: string;
  readonly tokenFile: string;
}

/** Milliseconds from when it began to start. */
export interface Start {
  /** All of its ports are open. */
  readonly openMs: number;
  /** A project has become FRESH. */
  readonly freshMs: number;
}

let begunMs = 0;
let openMs = 0;
const fresh = Promise.withResolvers<number>();

serveVerbs({
  /** As its environment has it. */
  start: async (): Promise<NodeAddresses> => {
    begunMs = performance.now();
    const read = readConfig({ env: process.env, hostName: "bench" });
    if ("problems" in read) throw new Error(read.problems.join("; "));
    const { apps, mesh, admin, tokenFile } = await openNode({
      ...read,
      log: noting(openLog("error")),
    });
    openMs = performance.now() - begunMs;
    return { apps, mesh, admin, tokenFile };
  },
  /** Answers once it is FRESH. */
  started: async (): Promise<Start> => ({ freshMs: await fresh.promise, openMs }),
});

/** What is asked for again and again would be a part of what is measured; this is told once. */
function noting(log: Log): Log {
  return {
    write: (entry) => {
      if (entry.event === "freshness-changed" && entry.message.endsWith(" is FRESH"))
        fresh.resolve(performance.now() - begunMs);
      log.write(entry);
    },
  };
}
