import { join } from "node:path";
import { BenchRoot, project } from "./bench-root.ts";
import { type ChildDial, dialOf } from "./child-dial.ts";
import type { Bench, Figure } from "./figure.ts";
import { measureRounds, perDelivery, type Rounds, type Server } from "./rounds.ts";
import { Worker } from "./worker.ts";

interface Measured extends Rounds {
  /** What a child was sent, base64. */
  readonly delta: string;
}

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
  const { count } = of;
  const alone = await measureNode({ ...of, count: 1 });
  const many = await measureNode(of);
  const floorAlone = await measureBare({ ...of, count: 1 }, many.delta);
  const floor = await measureBare(of, many.delta);
  const name = "bare grpc-js";
  const floorUs = perDelivery({ many: floor, alone: floorAlone, count });
  return [
    {
      name: `${what}: CPU per delivery`,
      unit: "us",
      samples: perDelivery({ many, alone, count }),
      beside: { name, samples: floorUs },
      ratioMax: 1.1,
    },
    {
      name: `${what}: commit to the last`,
      unit: "ms",
      samples: many.lastMs,
      beside: { name, samples: floor.lastMs },
    },
    {
      name: `memory of a link, of ${count}${of.confirms ? ", confirming" : ""}`,
      unit: "KiB",
      samples: [many.residentBytes / count / 1_024],
      beside: { name, samples: [floor.residentBytes / count / 1_024] },
    },
  ];
}

async function measureNode(of: { count: number; confirms: boolean }): Promise<Measured> {
  await using root = await BenchRoot.open(10);
  return await measure(of, {
    process: root.worker,
    dial: await dialOf(root),
    change: (round) => root.setPercentage(2_000 + round),
  });
}

async function measureBare(
  of: { count: number; confirms: boolean },
  delta: string,
): Promise<Measured> {
  await using worker = new Worker(join(import.meta.dirname, "grpc-worker.ts"));
  const address = await worker.ask<string>("start", { delta });
  return await measure(of, {
    process: worker,
    dial: { address, authorization: "", authority: "" },
    change: () => worker.ask("change"),
  });
}

async function measure(
  { count, confirms }: { count: number; confirms: boolean },
  server: Served,
): Promise<Measured> {
  await using worker = new Worker(join(import.meta.dirname, "children-worker.ts"));
  const dial = (): Promise<unknown> =>
    worker.ask("dial", { ...server.dial, count, confirms, project });
  const rounds = await measureRounds(server, { worker, count, dial });
  return { ...rounds, delta: await worker.ask<string>("delta") };
}
