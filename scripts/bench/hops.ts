import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { BenchNode } from "./bench-node.ts";
import { BenchRoot } from "./bench-root.ts";
import type { Bench, Figure } from "./figure.ts";
import { percentile } from "./percentile.ts";
import { Worker } from "./worker.ts";

/** Changes one after the other, each once the last has come; and so many in each second. */
const idleCount = 200;
const loadedCount = 300;
const perSecond = 100;

/** Changes that are not counted, at first: until then code is compiled that has run often by then. */
const warmUpsCount = 300;

/** What takes longer has been lost. */
const arrivalMsMax = 30_000;

/** A change of flags is about so large on its way. */
const bytesCount = 500;

/** What leads from a change to an app over three hops. Numbers count from 1. */
interface Chain {
  change(number: number): Promise<unknown>;
  /** All but the app. */
  readonly processes: readonly { cpuUs(): Promise<number> }[];
  /** When the app had it, in milliseconds since 1970; undefined while it has not. */
  at(number: number): Promise<number | undefined>;
}

export interface Latencies {
  readonly idleMs: readonly number[];
  readonly loadedMs: readonly number[];
  /** Of the processes of the chain together, for each change of the idle run. */
  readonly cpuMs: number;
}

/** From a commit at the root to an app behind a node behind a node, beside a bare chain. */
export const hops: Bench = async (tell) => {
  tell("root, node, node, app");
  const ours = await measureNodes();
  tell("a bare chain of three hops");
  const bare = await measureBare({ isDurable: false });
  tell("a bare chain of three hops that commits at each");
  const durable = await measureBare({ isDurable: true });
  const goal = { ratioMax: 1.5 };
  return [
    ...hopFigures(ours, { name: "bare gRPC chain", ...bare }, goal),
    // What is seen is durable at each hop here, so this is the least that it could cost.
    ...hopFigures(ours, { name: "the same with a commit at each hop", ...durable }),
  ];
};

/** The spread of a 99th percentile is that of the fifths of the run. */
export function hopFigures(
  ours: Latencies,
  beside: Latencies & { readonly name: string },
  goal: { readonly ratioMax?: number } = {},
): Figure[] {
  const { name } = beside;
  const cases = [
    ["idle", ours.idleMs, beside.idleMs],
    [`${perSecond} changes/s`, ours.loadedMs, beside.loadedMs],
  ] as const;
  const cpu: Figure = {
    name: "change to app, three hops, idle: CPU of the three",
    unit: "ms",
    samples: [ours.cpuMs],
    beside: { name, samples: [beside.cpuMs] },
  };
  const times = cases.flatMap(([when, samples, others]): Figure[] => [
    {
      name: `change to app, three hops, ${when}: median`,
      unit: "ms",
      samples,
      beside: { name, samples: others },
      ...goal,
    },
    {
      name: `change to app, three hops, ${when}: 99th percentile`,
      unit: "ms",
      samples: fifths(samples),
      beside: { name, samples: fifths(others) },
      ...goal,
    },
  ]);
  return [...times, cpu];
}

function fifths(samples: readonly number[]): number[] {
  const length = Math.ceil(samples.length / 5);
  return Array.from({ length: 5 }, (_, n) =>
    percentile(samples.slice(n * length, (n + 1) * length), 0.99),
  );
}

/** Of a root, a node, a node and an app. */
export async function measureNodes(): Promise<Latencies> {
  await using root = await BenchRoot.open(10);
  await using upper = await BenchNode.open("upper", await root.node.joinToken());
  await using lower = await BenchNode.open("lower", await upper.joinToken());
  await using app = new Worker(join(import.meta.dirname, "app-worker.ts"));
  await app.ask("start", { address: lower.addresses.apps });
  return await measureHops({
    processes: [root.worker, upper.worker, lower.worker],
    change: (number) => root.setPercentage(number),
    at: (number) => app.ask("at", { number }),
  });
}

async function measureBare({ isDurable }: { isDurable: boolean }): Promise<Latencies> {
  const file = join(import.meta.dirname, "chain-worker.ts");
  await using root = new Worker(file);
  await using upper = new Worker(file);
  await using lower = new Worker(file);
  await using app = new Worker(file);
  const address = await root.ask<string>("start", { isDurable });
  const below = await upper.ask<string>("start", { upstream: address, isDurable });
  const last = await lower.ask<string>("start", { upstream: below, isDurable });
  await app.ask("start", { upstream: last });
  await sleep(500);
  return await measureHops({
    processes: [root, upper, lower],
    change: (number) => root.ask("change", { address, number, bytesCount }),
    at: (number) => app.ask("at", { number }),
  });
}

export async function measureHops(chain: Chain): Promise<Latencies> {
  // Flags begin at 1000 of 10 000.
  let number = 1_000;
  for (let n = 0; n < warmUpsCount; n++) await latencyOf(chain, ++number);
  const idleMs: number[] = [];
  const cpuBefore = await cpuUsOf(chain);
  for (let n = 0; n < idleCount; n++) idleMs.push(await latencyOf(chain, ++number));
  const cpuMs = ((await cpuUsOf(chain)) - cpuBefore) / idleCount / 1_000;
  const begunMs: [number, number][] = [];
  const startMs = now();
  for (let n = 0; n < loadedCount; n++) {
    await sleep(Math.max(0, startMs + (n * 1_000) / perSecond - now()));
    begunMs.push([++number, now()]);
    // Of changes that overtake each other on their way to the root the last is not the newest.
    await chain.change(number);
  }
  const loadedMs: number[] = [];
  for (const [one, begun] of begunMs) loadedMs.push((await arrivalOf(chain, one)) - begun);
  return { idleMs, loadedMs, cpuMs };
}

async function cpuUsOf({ processes }: Chain): Promise<number> {
  const all = await Promise.all(processes.map((worker) => worker.cpuUs()));
  return all.reduce((sum, us) => sum + us, 0);
}

async function latencyOf(chain: Chain, number: number): Promise<number> {
  const begunMs = now();
  await chain.change(number);
  return (await arrivalOf(chain, number)) - begunMs;
}

/** @throws Error when it does not come */
async function arrivalOf(chain: Chain, number: number): Promise<number> {
  for (const endMs = now() + arrivalMsMax; now() < endMs; await sleep(1)) {
    const at = await chain.at(number);
    if (at !== undefined) return at;
  }
  throw new Error(`change ${number} has not come to the app within ${arrivalMsMax} ms`);
}

function now(): number {
  return performance.timeOrigin + performance.now();
}
