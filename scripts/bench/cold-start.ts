import { join } from "node:path";
import { BenchNode } from "./bench-node.ts";
import { BenchRoot } from "./bench-root.ts";
import type { Bench } from "./figure.ts";
import type { Start } from "./node-worker.ts";
import type { Snapshot } from "./snapshot-worker.ts";
import { Worker } from "./worker.ts";

const flagsCount = 10_000;
const roundsCount = 5;

/** How long a node with nothing takes until it has all flags, verified and FRESH. */
export const coldStart: Bench = async (tell) => {
  tell(`${roundsCount} nodes start with nothing, and take ${flagsCount} flags`);
  await using root = await BenchRoot.open(flagsCount);
  const token = await root.node.joinToken();
  const starts: Start[] = [];
  const bare: number[] = [];
  const file = join(import.meta.dirname, "snapshot-worker.ts");
  await using maker = new Worker(file);
  const snapshot = await maker.ask<Snapshot>("make", { flagsCount });
  for (let round = 0; round < roundsCount; round++) {
    starts.push(await startOf(token));
    await using floor = new Worker(file);
    bare.push(await floor.ask<number>("take", snapshot));
  }
  const beside = { name: "parse, hash, verify, write", samples: bare };
  return [
    {
      name: `cold start to FRESH, ${flagsCount} flags`,
      unit: "ms",
      samples: starts.map(({ freshMs }) => freshMs),
      beside,
      ratioMax: 1.5,
    },
    {
      name: "of that, from open ports",
      unit: "ms",
      samples: starts.map(({ freshMs, openMs }) => freshMs - openMs),
      beside,
    },
  ];
};

/** From when the program is loaded; `join` is done by its parts, not counted apart. */
async function startOf(token: string): Promise<Start> {
  await using node = await BenchNode.open("downstream", token);
  return await node.worker.ask<Start>("started");
}
