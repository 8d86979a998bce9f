import { join } from "node:path";
import { BenchRoot } from "./bench-root.ts";
import { openApps } from "./fan-out.ts";
import type { Bench } from "./figure.ts";
import { Worker } from "./worker.ts";

const count = 100;
const flagsCount = 10_000;
const roundsCount = 10;
const warmUpsCount = 3;

/** All flags change in one commit, beside writing the same bytes to as many TCP connections. */
export const largeCommit: Bench = async (tell) => {
  const what = `${flagsCount} flags change at once, ${count} apps`;
  tell(what);
  await using stack = new AsyncDisposableStack();
  const root = stack.use(await BenchRoot.open(flagsCount));
  const tcp = stack.use(new Worker(join(import.meta.dirname, "tcp-worker.ts")));
  const ours = await openApps(stack, {
    count,
    process: root.worker,
    address: root.apps,
    // Percentages whose encoding has the same length.
    change: (round) => root.setAll(flagsCount, 2_000 + round),
  });
  const floor = await openApps(stack, {
    count,
    process: tcp,
    address: await tcp.ask<string>("start", { delta: ours.delta }),
    change: () => tcp.ask("change"),
  });
  const blocked = { ours: new Array<number>(), floor: new Array<number>() };
  for (let round = 0; round < warmUpsCount + roundsCount; round++)
    for (const [worker, { side }, samples] of [
      [root.worker, ours, blocked.ours],
      [tcp, floor, blocked.floor],
    ] as const) {
      const counts = round >= warmUpsCount;
      await worker.ask("blocked");
      await side.turn({ counts });
      const ms = await worker.ask<number>("blocked");
      if (counts) samples.push(ms);
    }
  const name = "raw TCP";
  return [
    {
      name: `${what}: commit to the last`,
      unit: "ms",
      samples: ours.side.lastMs,
      beside: { name, samples: floor.side.lastMs },
    },
    {
      name: `${what}: event loop blocked`,
      unit: "ms",
      samples: blocked.ours,
      beside: { name, samples: blocked.floor },
    },
  ];
};
