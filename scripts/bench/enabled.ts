import { join } from "node:path";
import { BenchRoot, project } from "./bench-root.ts";
import type { Cost } from "./call-cost.ts";
import type { Bench } from "./figure.ts";
import { Worker } from "./worker.ts";

const flag = "flag-3";
const roundsCount = 10;
const warmUpsCount = 3;

/** What an app pays for an answer, beside a library that evaluates flags of flagd in process. */
export const enabled: Bench = async (tell) => {
  tell("an app asks a million times");
  await using root = await BenchRoot.open(10);
  await using app = new Worker(join(import.meta.dirname, "client-worker.ts"));
  await app.ask("start", { url: `http://${root.apps}`, project, flag });
  const costs = { enabled: [], map: [], flagd: [] } as Record<"enabled" | "map" | "flagd", Cost[]>;
  for (let round = 0; round < warmUpsCount + roundsCount; round++)
    for (const verb of ["enabled", "map", "flagd"] as const) {
      const cost = await app.ask<Cost>(verb, { flag });
      if (round >= warmUpsCount) costs[verb].push(cost);
    }
  const ns = (verb: keyof typeof costs): number[] => costs[verb].map((cost) => cost.ns);
  const bytes = (verb: keyof typeof costs): number[] => costs[verb].map((cost) => cost.bytes);
  return [
    {
      name: "client.enabled()",
      unit: "ns",
      samples: ns("enabled"),
      beside: { name: "flagd-core", samples: ns("flagd") },
      ratioMax: 0.1,
    },
    {
      name: "client.enabled()",
      unit: "ns",
      samples: ns("enabled"),
      beside: { name: "Map.get", samples: ns("map") },
    },
    {
      name: "client.enabled(): allocated",
      unit: "B",
      samples: bytes("enabled"),
      beside: { name: "flagd-core", samples: bytes("flagd") },
      max: 0.1,
    },
  ];
};
