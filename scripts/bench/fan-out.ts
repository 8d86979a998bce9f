import { join } from "node:path";
import { BenchRoot } from "./bench-root.ts";
import type { Bench, Figure } from "./figure.ts";
import { type Clients, perDelivery, type Server, Side, takeTurns } from "./rounds.ts";
import { watchRequest } from "./watch-request.ts";
import { Worker } from "./worker.ts";

/** A process takes some MiB more or less from one minute to the next: of fewer streams that is more than theirs. */
const memoryStreamsMin = 2_000;

/** One delta to many streams of apps, beside writing the same bytes to as many TCP connections. */
export function fanOut(counts: readonly number[]): Bench {
  return async (tell) => {
    const figures: Figure[] = [];
    for (const count of counts) {
      tell(`one delta to ${count} app streams`);
      figures.push(...(await figuresOf(count)));
    }
    return figures;
  };
}

async function figuresOf(count: number): Promise<Figure[]> {
  await using stack = new AsyncDisposableStack();
  const { side: many, delta } = await openNode(stack, count);
  const { side: alone } = await openNode(stack, 1);
  const floor = await openTcp(stack, count, delta);
  const floorAlone = await openTcp(stack, 1, delta);
  await takeTurns([many, floor, alone, floorAlone]);
  const name = "raw TCP";
  const figures: Figure[] = [
    {
      name: `one delta to ${count} app streams: CPU per delivery`,
      unit: "us",
      samples: perDelivery({ many, alone }),
      beside: { name, samples: perDelivery({ many: floor, alone: floorAlone }) },
      ratioMax: 1.1,
    },
    {
      name: `one delta to ${count} app streams: commit to the last`,
      unit: "ms",
      samples: many.lastMs,
      beside: { name, samples: floor.lastMs },
    },
  ];
  if (count >= memoryStreamsMin)
    figures.push({
      name: `memory of an app stream, of ${count}`,
      unit: "KiB",
      samples: [many.bytesOfOne / 1_024],
      beside: { name, samples: [floor.bytesOfOne / 1_024] },
      ratioMax: 4,
    });
  return figures;
}

/** So many apps of a root with so many flags, likewise. */
export async function openNode(
  stack: AsyncDisposableStack,
  count: number,
  flagsCount: number = 10,
): Promise<{ side: Side; delta: string }> {
  const root = stack.use(await BenchRoot.open(flagsCount));
  // Percentages whose encoding has the same length.
  const change = (round: number): Promise<void> => root.setPercentage(2_000 + round);
  return openApps(stack, { count, process: root.worker, address: root.apps, change });
}

async function openTcp(stack: AsyncDisposableStack, count: number, delta: string): Promise<Side> {
  const worker = stack.use(new Worker(join(import.meta.dirname, "tcp-worker.ts")));
  const address = await worker.ask<string>("start", { delta });
  const change = (): Promise<unknown> => worker.ask("change");
  return (await openApps(stack, { count, process: worker, address, change })).side;
}

/** So many apps of whatever serves them, with what one of them was sent, base64. */
export async function openApps(
  stack: AsyncDisposableStack,
  { count, address, ...server }: Server & { readonly count: number; readonly address: string },
): Promise<{ side: Side; delta: string }> {
  const worker = stack.use(new Worker(join(import.meta.dirname, "watchers-worker.ts")));
  const hello = watchRequest().toString("base64");
  const dial: Clients["dial"] = (of) => worker.ask("dial", { ...of, address, hello });
  const side = await Side.open(server, { worker, count, dial });
  return { side, delta: await worker.ask<string>("delta") };
}
