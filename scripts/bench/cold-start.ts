import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { BenchNode } from "./bench-node.ts";
import { BenchRoot } from "./bench-root.ts";
import type { Bench } from "./figure.ts";
import { Worker } from "./worker.ts";

const flagsCount = 10_000;
const roundsCount = 5;
const startMsMax = 60_000;

/** How long a node with nothing takes until it has all flags, verified and FRESH. */
export const coldStart: Bench = async (tell) => {
  tell(`${roundsCount} nodes start with nothing, and take ${flagsCount} flags`);
  await using root = await BenchRoot.open(flagsCount);
  const token = await root.node.joinToken();
  const samples: number[] = [];
  const bare: number[] = [];
  for (let round = 0; round < roundsCount; round++) {
    samples.push(await startMs(token));
    await using floor = new Worker(join(import.meta.dirname, "snapshot-worker.ts"));
    bare.push(await floor.ask<number>("take", { flagsCount }));
  }
  return [
    {
      name: `cold start to FRESH, ${flagsCount} flags`,
      unit: "ms",
      samples,
      beside: { name: "parse, hash, verify, write", samples: bare },
      ratioMax: 1.5,
    },
  ];
};

/** From when the program is loaded; `join` is done by its parts, not counted apart. */
async function startMs(token: string): Promise<number> {
  await using node = await BenchNode.open("downstream", token);
  for (const endMs = node.startedMs + startMsMax; now() < endMs; await sleep(2)) {
    const { projects } = await node.admin.nodes.getStatus({});
    if (projects.length > 0 && projects.every(({ freshness }) => freshness === "FRESH"))
      return now() - node.startedMs;
  }
  throw new Error(`a node was not FRESH within ${startMsMax} ms`);
}

function now(): number {
  return performance.now();
}
