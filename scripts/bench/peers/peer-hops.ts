import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Bench } from "../figure.ts";
import { hopFigures, type Latencies, measureHops, measureNodes } from "../hops.ts";
import { Worker } from "../worker.ts";
import { syncFlags } from "./flagd-peer.ts";
import { openFlagd } from "./flagd-process.ts";
import { absenceOf, flagd } from "./peer-program.ts";

const flagsCount = 10;

/** From a commit at the root to an app behind a node behind a node, beside as many of flagd. */
export const peerHops: Bench = async (tell) => {
  const program = flagd.find();
  if (program === undefined) {
    tell(absenceOf(flagd));
    return [];
  }
  tell("root, node, node, app");
  const ours = await measureNodes();
  tell("flagd, flagd, flagd, app");
  const theirs = await measureFlagds(program);
  return hopFigures(ours, { name: "flagd, flagd, flagd", ...theirs }, { ratioMax: 1 });
};

async function measureFlagds(program: string): Promise<Latencies> {
  await using source = new Worker(join(import.meta.dirname, "flagd-source-worker.ts"));
  await using root = await openFlagd(program, await source.ask<string>("start", { flagsCount }));
  await using upper = await openFlagd(program, root.sync);
  await using lower = await openFlagd(program, upper.sync);
  await using app = new Worker(join(import.meta.dirname, "grpc-watchers-worker.ts"));
  await app.ask("follow", { address: lower.sync, ...syncFlags });
  await sleep(500);
  return await measureHops({
    processes: [root.process, upper.process, lower.process],
    change: (number) => source.ask("change", { number }),
    at: (number) => app.ask("at", { number }),
  });
}
