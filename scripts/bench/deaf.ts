import { join } from "node:path";
import { BenchRoot, project } from "./bench-root.ts";
import { dialOf } from "./child-dial.ts";
import { openChildren } from "./children.ts";
import { openApps } from "./fan-out.ts";
import type { Bench, Figure } from "./figure.ts";
import { type Side, takeTurns } from "./rounds.ts";
import { watchRequest } from "./watch-request.ts";
import { Worker } from "./worker.ts";

/** All of them change in each round: what is not read is soon more than sockets hold. */
const flagsCount = 1_000;
const roundsCount = 15;

/** One in ten never reads. */
const crowds: readonly Crowd[] = [
  { who: "app", readersCount: 450, deafCount: 50 },
  { who: "node", readersCount: 90, deafCount: 10 },
];

interface Crowd {
  readonly who: "app" | "node";
  readonly readersCount: number;
  readonly deafCount: number;
}

interface Served {
  readonly side: Side;
  readonly root: BenchRoot;
  /** Of one change, that one of them was sent. */
  readonly frameBytes: number;
}

/** What those cost who never read, beside the same without them. */
export const deaf: Bench = async (tell) => {
  const figures: Figure[] = [];
  for (const crowd of crowds) {
    tell(`${crowd.deafCount} ${crowd.who}s never read, ${crowd.readersCount} do`);
    figures.push(...(await figuresOf(crowd)));
  }
  return figures;
};

async function figuresOf(crowd: Crowd): Promise<Figure[]> {
  await using stack = new AsyncDisposableStack();
  const ours = await open(stack, crowd);
  const none = await open(stack, { ...crowd, deafCount: 0 });
  await takeTurns([ours.side, none.side], roundsCount);
  const { who, readersCount, deafCount } = crowd;
  const what = `${deafCount} ${who}s never read, ${readersCount} do`;
  const name = "without those";
  const each = ({ side }: Served): number[] => side.cpuUs.map((us) => us / readersCount);
  return [
    {
      name: `${what}: CPU per delivery`,
      unit: "us",
      samples: each(ours),
      beside: { name, samples: each(none) },
      ratioMax: 1.2,
    },
    {
      name: `${what}: commit to the last`,
      unit: "ms",
      samples: ours.side.lastMs,
      beside: { name, samples: none.side.lastMs },
      ratioMax: 1.2,
    },
    {
      name: `held for one ${who} that never reads, of ${deafCount}`,
      unit: "KiB",
      samples: [(await grownBytes(ours, none)) / deafCount / 1_024],
      beside: {
        name: "what it would have read",
        samples: [(roundsCount * ours.frameBytes) / 1_024],
      },
    },
  ];
}

/** Their connections included. What is resident differs by more between any two processes. */
async function grownBytes(ours: Served, none: Served): Promise<number> {
  const of = ({ root }: Served): Promise<number> => root.worker.heldBytes();
  return Math.max(0, (await of(ours)) - (await of(none)));
}

async function open(stack: AsyncDisposableStack, crowd: Crowd): Promise<Served> {
  const { who, readersCount: count, deafCount } = crowd;
  const root = stack.use(await BenchRoot.open(flagsCount));
  const silent = stack.use(new Worker(join(import.meta.dirname, "deaf-worker.ts")));
  const app = { address: root.apps, hello: watchRequest().toString("base64") };
  const node = { ...(await dialOf(root)), project };
  const dial = who === "app" ? app : node;
  await silent.ask(`${who}s`, { ...dial, count: deafCount, first: count });
  const change = (round: number): Promise<void> => root.setAll(flagsCount, 2_000 + round);
  const server = { process: root.worker, change };
  const { side, delta } =
    who === "app"
      ? await openApps(stack, { ...server, count, address: root.apps })
      : await openChildren(stack, { count, confirms: true, server: { ...server, dial: node } });
  return { side, root, frameBytes: Buffer.from(delta, "base64").length };
}
