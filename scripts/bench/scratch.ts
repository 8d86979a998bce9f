import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";

/** Where all processes of a run have their files. */
const runVariable = "BENCH_SCRATCH_DIR";

/** For the process that begins a run: what is in scratch directories from now on ends with it. */
export function openScratch(): void {
  const run = mkdtempSync(join(tmpdir(), "headwater-bench-"));
  process.env[runVariable] = run;
  process.once("exit", () => rmSync(run, { recursive: true, force: true, maxRetries: 5 }));
  // Who is ended by a signal goes without an exit unless he listens.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));
}

/** A new directory. Processes that are measured are killed: they could not clear up themselves. */
export function scratchDirectory(): string {
  return mkdtempSync(join(process.env[runVariable] ?? tmpdir(), "headwater-bench-"));
}
