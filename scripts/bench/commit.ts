import { join } from "node:path";
import { BenchRoot } from "./bench-root.ts";
import type { Bench } from "./figure.ts";
import { Worker } from "./worker.ts";

const roundsCount = 100;
const warmUpsCount = 20;

/** About what a flag is in the store, with its head. */
const flagBytes = 500;

/** How long a commit of a flag takes until it is durable, beside one commit of SQLite. */
export const commit: Bench = async (tell) => {
  tell(`${roundsCount} flags, one by one`);
  await using root = await BenchRoot.open(10);
  await using floor = new Worker(join(import.meta.dirname, "sqlite-worker.ts"));
  const samples: number[] = [];
  const bare: number[] = [];
  for (let round = 0; round < warmUpsCount + roundsCount; round++) {
    const begunMs = performance.now();
    await root.setPercentage(2_000 + round);
    const ms = performance.now() - begunMs;
    const bareMs = await floor.ask<number>("commit", { bytesCount: flagBytes });
    if (round < warmUpsCount) continue;
    samples.push(ms);
    bare.push(bareMs);
  }
  return [
    {
      name: "a flag committed through the admin port, durable",
      unit: "ms",
      samples,
      beside: { name: "one commit of SQLite", samples: bare },
    },
  ];
};
