import { join } from "node:path";
import { BenchRoot, project } from "../bench-root.ts";
import type { Cost } from "../call-cost.ts";
import type { Bench, Figure } from "../figure.ts";
import { Worker } from "../worker.ts";
import { absenceOf, hasSdks } from "./peer-program.ts";

const flag = "flag-3";
const roundsCount = 10;
const warmUpsCount = 3;

const sdks = [
  ["unleash", "Unleash Node SDK"],
  ["launchdarkly", "LaunchDarkly Node SDK"],
] as const;

/** What an app pays for an answer, beside the SDKs of others with the same flag at hand. */
export const peerEnabled: Bench = async (tell) => {
  if (!hasSdks()) {
    for (const [, name] of sdks) tell(absenceOf({ name }));
    return [];
  }
  tell("apps ask again and again");
  await using root = await BenchRoot.open(10);
  await using app = new Worker(join(import.meta.dirname, "../client-worker.ts"));
  await using theirs = new Worker(join(import.meta.dirname, "sdk-worker.ts"));
  await app.ask("start", { url: `http://${root.apps}`, project, flag });
  await theirs.ask("start", { flag });
  const figures: Figure[] = [];
  for (const [verb, name] of sdks) {
    const samples: number[] = [];
    const others: number[] = [];
    for (let round = 0; round < warmUpsCount + roundsCount; round++) {
      const ours = await app.ask<Cost>("enabled", { flag });
      const other = await theirs.ask<Cost>(verb, { flag });
      if (round < warmUpsCount) continue;
      samples.push(ours.ns);
      others.push(other.ns);
    }
    const beside = { name, samples: others };
    figures.push({ name: "client.enabled()", unit: "ns", samples, beside, ratioMax: 0.1 });
  }
  return figures;
};
