import { join } from "node:path";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { TelemetryService } from "../../gen/headwater/v1/apps_pb.ts";
import { BenchRoot } from "./bench-root.ts";
import type { Bench } from "./figure.ts";
import { Worker } from "./worker.ts";

const roundsCount = 100;
const warmUpsCount = 50;

/** How long a commit of a flag takes until it is durable, beside a call that does one of SQLite. */
export const commit: Bench = async (tell) => {
  tell(`${roundsCount} flags, one by one`);
  await using root = await BenchRoot.open(10);
  await using floor = new Worker(join(import.meta.dirname, "connect-worker.ts"));
  const address = await floor.ask<string>("start", { isDurable: true });
  const transport = createConnectTransport({ baseUrl: `http://${address}`, httpVersion: "1.1" });
  const bareClient = createClient(TelemetryService, transport);
  const samples: number[] = [];
  const bare: number[] = [];
  for (let round = 0; round < warmUpsCount + roundsCount; round++) {
    const ms = await durationMs(() => root.setPercentage(2_000 + round));
    const bareMs = await durationMs(() => bareClient.report({}));
    if (round < warmUpsCount) continue;
    samples.push(ms);
    bare.push(bareMs);
  }
  return [
    {
      name: "a flag committed through the admin port, durable",
      unit: "ms",
      samples,
      beside: { name: "a call that commits to SQLite", samples: bare },
      ratioMax: 1.3,
    },
  ];
};

async function durationMs(work: () => Promise<unknown>): Promise<number> {
  const begunMs = performance.now();
  await work();
  return performance.now() - begunMs;
}
