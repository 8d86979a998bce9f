import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { chunkOf } from "../../nodes/http/chunked-body.ts";
import { envelope } from "../../nodes/http/connect-envelope.ts";
import { BenchRoot, project } from "./bench-root.ts";
import { dialOf } from "./child-dial.ts";
import type { Reconnected } from "./crowd.ts";
import type { Bench, Figure } from "./figure.ts";
import { dialsPauseMs } from "./mesh-session.ts";
import { tablePosition } from "./table-position.ts";
import { watchRequest } from "./watch-request.ts";
import { Worker } from "./worker.ts";

const flagsCount = 1_000;
const roundsCount = 3;

interface Size {
  readonly apps: number;
  readonly nodes: number;
}

/** Those who come: a worker, and what it is asked with. */
interface Comers {
  readonly worker: Worker;
  readonly dial: { readonly count: number } & Readonly<Record<string, unknown>>;
}

interface Storm {
  /** From when they dial to when the last is FRESH, for each round. */
  readonly lastMs: readonly number[];
  /** At the most, above what the same connections take when nothing happens. */
  readonly extraBytes: number;
  /** That one of each crowd hears. */
  readonly bytesCounts: readonly number[];
}

/**
 * Apps and nodes lose one node at the same time, miss a change, and all come again at once, beside
 * as many bare connections that come again and are sent as many bytes.
 */
export function storm(sizes: readonly Size[]): Bench {
  return async (tell) => {
    const figures: Figure[] = [];
    for (const size of sizes) {
      const what = `${size.apps} apps and ${size.nodes} nodes reconnect at once`;
      tell(what);
      const ours = await measureNode(size);
      const floor = await measureTcp(size, ours.bytesCounts);
      figures.push(...figuresOf(what, ours, floor));
    }
    return figures;
  };
}

function figuresOf(what: string, ours: Storm, floor: Storm): Figure[] {
  const name = "raw TCP";
  return [
    {
      name: `${what}: to the last that is FRESH`,
      unit: "ms",
      samples: ours.lastMs,
      beside: { name, samples: floor.lastMs },
    },
    {
      name: `${what}: memory above what they take in calm`,
      unit: "MiB",
      samples: [ours.extraBytes / 2 ** 20],
      beside: { name, samples: [floor.extraBytes / 2 ** 20] },
      max: 150,
    },
  ];
}

async function measureNode({ apps, nodes }: Size): Promise<Storm> {
  await using root = await BenchRoot.open(flagsCount);
  await using appsWorker = workerOf("reconnect-worker.ts");
  await using nodesWorker = workerOf("reconnect-nodes-worker.ts");
  const dial = { ...(await dialOf(root)), project, count: nodes };
  const appsDial = { address: root.apps, count: apps };
  const hello = async (): Promise<string> =>
    watchRequest(await tablePosition(root.apps)).toString("base64");
  const crowds = async (): Promise<Comers[]> => [
    { worker: appsWorker, dial: { ...appsDial, hello: await hello() } },
    { worker: nodesWorker, dial },
  ];
  return await measure({
    server: root.worker,
    crowds,
    change: (round) => root.setPercentage(2_000 + round),
  });
}

async function measureTcp({ apps, nodes }: Size, bytesCounts: readonly number[]): Promise<Storm> {
  await using server = workerOf("answer-worker.ts");
  await using appsWorker = workerOf("reconnect-worker.ts");
  await using nodesWorker = workerOf("reconnect-worker.ts");
  const hello = watchRequest().toString("base64");
  const all = [
    { worker: appsWorker, count: apps },
    { worker: nodesWorker, count: nodes },
  ];
  const dials: Comers[] = [];
  for (const [n, { worker, count }] of all.entries()) {
    const answer = answerOf(bytesCounts[n] ?? 0).toString("base64");
    const address = await server.ask<string>("start", { answer });
    dials.push({ worker, dial: { address, count, hello } });
  }
  return await measure({ server, crowds: async () => dials, change: async () => {} });
}

async function measure(of: {
  server: Worker;
  crowds: () => Promise<readonly Comers[]>;
  change: (round: number) => Promise<unknown>;
}): Promise<Storm> {
  for (const { worker, dial } of await of.crowds()) await worker.ask("connect", dial);
  const calmBytes = await of.server.residentBytes();
  const lastMs: number[] = [];
  let bytesCounts: number[] = [];
  for (let round = 0; round < roundsCount; round++) {
    const crowds = await of.crowds();
    for (const { worker } of crowds) await worker.ask("drop");
    await of.change(round);
    await sleep(dialsPauseMs);
    const begunMs = performance.timeOrigin + performance.now();
    const come = crowds.map(({ worker, dial }) => worker.ask<Reconnected>("reconnect", dial));
    const all = await Promise.all(come);
    lastMs.push(Math.max(...all.map(({ atMs }) => atMs)) - begunMs);
    bytesCounts = all.map(({ bytesCount }) => bytesCount);
  }
  const extraBytes = Math.max(0, (await of.server.ask<number>("most")) - calmBytes);
  return { lastMs, extraBytes, bytesCounts };
}

/** About as many bytes, which an app takes for the head of an answer and a table that is FRESH. */
function answerOf(bytesCount: number): Buffer {
  const head = Buffer.from("HTTP/1.1 200 OK\r\n\r\n");
  const table = Buffer.from("FRESH".padStart(bytesCount - head.length));
  return Buffer.concat([head, chunkOf(envelope(table))]);
}

function workerOf(file: string): Worker {
  return new Worker(join(import.meta.dirname, file));
}
