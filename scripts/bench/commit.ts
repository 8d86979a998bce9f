import { join } from "node:path";
import { openAdminClient } from "../../nodes/cli/admin-client.ts";
import { BenchRoot } from "./bench-root.ts";
import type { Bench } from "./figure.ts";
import { Worker } from "./worker.ts";

const roundsCount = 100;
const warmUpsCount = 500;

/**
 * How long a commit of a flag takes until it is durable, beside the same call to a handler that only
 * commits one record.
 */
export const commit: Bench = async (tell) => {
  tell(`${roundsCount} flags, one by one`);
  await using root = await BenchRoot.open(10);
  await using floor = new Worker(join(import.meta.dirname, "connect-worker.ts"));
  const bareClient = openAdminClient({
    HEADWATER_ADMIN_URL: `http://${await floor.ask<string>("start")}`,
    HEADWATER_ADMIN_TOKEN: "bench",
  });
  const samples: number[] = [];
  const bare: number[] = [];
  for (let round = 0; round < warmUpsCount + roundsCount; round++) {
    const ms = await durationMs(() => root.setPercentage(2_000 + round));
    const bareMs = await durationMs(() =>
      bareClient.ledgers.commit(root.percentage(2_000 + round)),
    );
    if (round < warmUpsCount) continue;
    samples.push(ms);
    bare.push(bareMs);
  }
  return [
    {
      name: "a flag committed through the admin port, durable",
      unit: "ms",
      samples,
      beside: { name: "the same call that writes one record", samples: bare },
      ratioMax: 1.3,
    },
  ];
};

async function durationMs(work: () => Promise<unknown>): Promise<number> {
  const begunMs = performance.now();
  await work();
  return performance.now() - begunMs;
}
