import { join } from "node:path";
import { BenchRoot, project } from "./bench-root.ts";
import type { Bench } from "./figure.ts";
import { Worker } from "./worker.ts";

const flagsCount = 20;
const reportsPerRound = 1_000;
const roundsCount = 10;
const warmUpsCount = 5;

/** What a report costs a node, beside the same call that does nothing. */
export const reports: Bench = async (tell) => {
  tell(`${(roundsCount + warmUpsCount) * reportsPerRound} reports, and as many that nobody counts`);
  await using root = await BenchRoot.open(flagsCount);
  await using floor = new Worker(join(import.meta.dirname, "connect-worker.ts"));
  await using apps = new Worker(join(import.meta.dirname, "reporters-worker.ts"));
  const ours = { worker: root.worker, address: root.apps, samples: new Array<number>() };
  const bare = {
    worker: floor,
    address: await floor.ask<string>("start"),
    samples: new Array<number>(),
  };
  const flags = Array.from({ length: flagsCount }, (_, n) => `flag-${n}`);
  for (let round = 0; round < warmUpsCount + roundsCount; round++)
    for (const { worker, address, samples } of [ours, bare]) {
      const before = await worker.ask<number>("cpu");
      await apps.ask("report", { address, project, flags, count: reportsPerRound });
      const cpu = (await worker.ask<number>("cpu")) - before;
      if (round >= warmUpsCount) samples.push(cpu / reportsPerRound);
    }
  return [
    {
      name: `a report of ${flagsCount} flags: CPU`,
      unit: "us",
      samples: ours.samples,
      beside: { name: "an empty handler", samples: bare.samples },
      // Seven tenths of its reports per second and core.
      ratioMax: 1.43,
    },
  ];
};
