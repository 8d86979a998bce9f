// A node in a process of its own.
import process from "node:process";
import { readConfig } from "../../nodes/config/config.ts";
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

serveVerbs({
  /** As its environment has it. */
  start: async (): Promise<NodeAddresses> => {
    const read = readConfig({ env: process.env, hostName: "bench" });
    if ("problems" in read) throw new Error(read.problems.join("; "));
    const { apps, mesh, admin, tokenFile } = await openNode({ ...read, log: openLog("error") });
    return { apps, mesh, admin, tokenFile };
  },
});
