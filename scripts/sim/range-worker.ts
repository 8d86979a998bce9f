// Runs every n-th seed of a range, and posts what each comes to.
import { parentPort, workerData } from "node:worker_threads";
import type { FaultKind } from "../../test/sim/fault-kinds.ts";
import type { PromiseId } from "../../test/sim/promises.ts";
import { type RunResult, runSeed } from "../../test/sim/run.ts";

export interface WorkerTask {
  readonly from: number;
  readonly step: number;
  readonly before: number;
  /** No seed is begun after it. */
  readonly seconds: number | undefined;
}

export interface SeedOutcome {
  readonly seed: number;
  readonly isBroken: boolean;
  readonly faults: readonly (readonly [FaultKind, number])[];
  readonly checks: readonly (readonly [PromiseId, number])[];
  readonly census: RunResult["census"];
}

const { from, step, before, seconds = Number.POSITIVE_INFINITY } = workerData as WorkerTask;
const untilMs = performance.now() + seconds * 1_000;

for (let seed = from; seed < before && performance.now() < untilMs; seed += step) {
  const { broken, faults, checks, census } = runSeed(seed);
  const outcome: SeedOutcome = {
    seed,
    isBroken: broken !== undefined,
    faults: [...faults],
    checks: [...checks],
    census,
  };
  parentPort?.postMessage(outcome);
}
