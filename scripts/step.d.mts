import type { SpawnSyncOptions } from "node:child_process";

/** Runs one step; answers what went wrong in one line, or undefined. */
export declare function runStep(
  command: string,
  args: readonly string[],
  options?: SpawnSyncOptions,
): string | undefined;

/** The same, with what the step has written where nothing went wrong. */
export declare function readStep(
  command: string,
  args: readonly string[],
  options?: SpawnSyncOptions,
): { output: string; reason?: undefined } | { reason: string };

export declare function isExecutable(path: string): boolean;
