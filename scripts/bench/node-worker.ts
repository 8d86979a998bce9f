// A node in a process of its own.
import process from "node:process";
import { readConfig } from "../../nodes/config/config.ts";
import { openLog } from "../../nodes/log.ts";
import { openNode } from "../../nodes/main.ts";
import { serveVerbs } from "./worker.ts";

serveVerbs({
  /** Its addresses, as its environment has it. */
  start: async (): Promise<{ apps: string; admin: string; tokenFile: string }> => {
    const read = readConfig({ env: process.env, hostName: "bench" });
    if ("problems" in read) throw new Error(read.problems.join("; "));
    const { apps, admin, tokenFile } = await openNode({ ...read, log: openLog("error") });
    return { apps, admin, tokenFile };
  },
});
