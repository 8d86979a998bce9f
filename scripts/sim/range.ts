import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { type CensusAnswer, censusAnswers } from "../../relay/telemetry/census/census-answer.ts";
import type { FaultKind } from "../../test/sim/fault-kinds.ts";
import type { PromiseId } from "../../test/sim/promises.ts";
import { runStory } from "../../test/sim/run.ts";
import { drawStory } from "../../test/sim/story-draw.ts";
import type { SeedOutcome, WorkerTask } from "./range-worker.ts";
import { censusLines, faultTable, promiseTable, summaryLine, violationText } from "./report.ts";

/** So that a long run tells how far it is. */
const toldEverySeeds = 1_000;

/** Violations that are shrunk and shown; what comes after them is most often the same. */
const shownMax = 5;

interface Totals {
  seedsCount: number;
  readonly faults: Map<FaultKind, number>;
  readonly checks: Map<PromiseId, number>;
  readonly census: {
    readonly [whose in keyof SeedOutcome["census"]]: Record<CensusAnswer, number>;
  };
  readonly violations: number[];
}

/** Runs a range of seeds; the exit code. */
export async function runRange(of: {
  from: number;
  seedsCount: number;
  seconds: number | undefined;
  workersCount: number | undefined;
}): Promise<number> {
  const startedMs = performance.now();
  const count = Math.max(1, Math.min(of.workersCount ?? availableParallelism(), of.seedsCount));
  const totals: Totals = {
    seedsCount: 0,
    faults: new Map(),
    checks: new Map(),
    census: { all: noAnswers(), root: noAnswers() },
    violations: [],
  };
  const tasks = Array.from(
    { length: count },
    (_, at): WorkerTask => ({
      from: of.from + at,
      step: count,
      before: of.from + of.seedsCount,
      seconds: of.seconds,
    }),
  );
  await Promise.all(tasks.map((task) => work(task, (outcome) => take(totals, outcome))));
  const perSeedMs = (performance.now() - startedMs) / Math.max(1, totals.seedsCount);
  for (const seed of totals.violations.sort((a, b) => a - b).slice(0, shownMax)) show(seed);
  process.stdout.write(`${faultTable(totals.faults)}\n\n`);
  process.stdout.write(`${promiseTable(totals.checks)}\n\n`);
  process.stdout.write(`${censusLines(totals.census)}\n\n`);
  process.stdout.write(`${perSeedMs.toFixed(1)} ms a seed with ${count} at once\n`);
  const violationsCount = totals.violations.length;
  if (violationsCount > 0)
    process.stdout.write(`violations in seeds ${totals.violations.join(", ")}\n`);
  process.stdout.write(`${summaryLine({ ...totals, violationsCount })}\n`);
  return violationsCount === 0 ? 0 : 1;
}

function work(task: WorkerTask, take: (outcome: SeedOutcome) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("range-worker.ts", import.meta.url), { workerData: task });
    worker.on("message", take);
    worker.on("error", reject);
    worker.on("exit", () => resolve());
  });
}

function noAnswers(): Record<CensusAnswer, number> {
  return { UNUSED: 0, UNKNOWN: 0, USED: 0 };
}

function take(totals: Totals, { seed, isBroken, faults, checks, census }: SeedOutcome): void {
  for (const whose of ["all", "root"] as const)
    for (const answer of censusAnswers) totals.census[whose][answer] += census[whose][answer];
  totals.seedsCount++;
  if (totals.seedsCount % toldEverySeeds === 0)
    process.stdout.write(`${totals.seedsCount} seeds, ${totals.violations.length} violations\n`);
  if (isBroken) {
    totals.violations.push(seed);
    process.stdout.write(`seed ${seed} breaks a promise\n`);
  }
  for (const [kind, n] of faults) totals.faults.set(kind, (totals.faults.get(kind) ?? 0) + n);
  for (const [id, n] of checks) totals.checks.set(id, (totals.checks.get(id) ?? 0) + n);
}

function show(seed: number): void {
  const story = drawStory(seed);
  const { broken } = runStory(story);
  const text =
    broken === undefined
      ? `seed ${seed}: it did not break again, so something is not from the seed\n`
      : violationText(story, broken);
  process.stdout.write(`${text}\n`);
}
