import { join } from "node:path";
import { BenchRoot, project } from "./bench-root.ts";
import { type ChildDial, dialOf } from "./child-dial.ts";
import type { Bench, Figure } from "./figure.ts";
import {
  type Clients,
  memoryClientsMin,
  perDelivery,
  type Server,
  Side,
  takeTurns,
} from "./rounds.ts";
import { Worker } from "./worker.ts";

interface Served extends Server {
  /** What children dial with. */
  readonly dial: ChildDial;
}

/**
 * One delta to many nodes downstream, beside a bare server of grpc-js that writes the same bytes,
 * ready-made, over as many TLS connections.
 */
export function children(counts: readonly number[]): Bench {
  return async (tell) => {
    const figures: Figure[] = [];
    for (const confirms of [false, true])
      for (const count of counts) {
        const what = `one delta to ${count} nodes${confirms ? " that confirm it" : ""}`;
        tell(what);
        figures.push(...(await figuresOf(what, { count, confirms })));
      }
    return figures;
  };
}

async function figuresOf(
  what: string,
  of: { count: number; confirms: boolean },
): Promise<Figure[]> {
  await using stack = new AsyncDisposableStack();
  const { count } = of;
  const { side: many, delta } = await openNode(stack, of);
  const { side: alone } = await openNode(stack, { ...of, count: 1 });
  const floor = await openBare(stack, of, delta);
  const floorAlone = await openBare(stack, { ...of, count: 1 }, delta);
  await takeTurns([many, floor, alone, floorAlone]);
  const name = "bare grpc-js";
  const figures: Figure[] = [
    {
      name: `${what}: CPU per delivery`,
      unit: "us",
      samples: perDelivery({ many, alone }),
      beside: { name, samples: perDelivery({ many: floor, alone: floorAlone }) },
      ratioMax: 1.1,
    },
    {
      name: `${what}: commit to the last`,
      unit: "ms",
      samples: many.lastMs,
      beside: { name, samples: floor.lastMs },
    },
  ];
  if (count >= memoryClientsMin)
    figures.push({
      name: `memory of a link, of ${count}${of.confirms ? ", confirming" : ""}`,
      unit: "KiB",
      samples: [many.bytesOfOne / 1_024],
      beside: { name, samples: [floor.bytesOfOne / 1_024] },
    });
  return figures;
}

async function openNode(
  stack: AsyncDisposableStack,
  of: { count: number; confirms: boolean },
): Promise<{ side: Side; delta: string }> {
  const root = stack.use(await BenchRoot.open(10));
  const dial = await dialOf(root);
  const change = (round: number): Promise<void> => root.setPercentage(2_000 + round);
  return openChildren(stack, { ...of, server: { process: root.worker, dial, change } });
}

async function openBare(
  stack: AsyncDisposableStack,
  of: { count: number; confirms: boolean },
  delta: string,
): Promise<Side> {
  const worker = stack.use(new Worker(join(import.meta.dirname, "grpc-worker.ts")));
  const address = await worker.ask<string>("start", { delta });
  const dial = { address, authorization: "", authority: "" };
  const change = (): Promise<unknown> => worker.ask("change");
  return (await openChildren(stack, { ...of, server: { process: worker, dial, change } })).side;
}

/** So many nodes downstream of whatever serves them, with what one of them was sent, base64. */
export async function openChildren(
  stack: AsyncDisposableStack,
  of: { count: number; confirms: boolean; server: Served },
): Promise<{ side: Side; delta: string }> {
  const { count, confirms, server } = of;
  const worker = stack.use(new Worker(join(import.meta.dirname, "children-worker.ts")));
  const dial: Clients["dial"] = (of) =>
    worker.ask("dial", { ...of, ...server.dial, confirms, project });
  const side = await Side.open(server, { worker, count, dial });
  return { side, delta: await worker.ask<string>("delta") };
}
