import type { SpawnSyncOptions } from "node:child_process";

/** Runs one step; answers what went wrong in one line, or undefined. */
export declare function runStep(
  command: string,
  args: readonly string[],
  options?: SpawnSyncOptions,
): string | undefined;

export declare function isExecutable(path: string): boolean;
