// The steps of setting a machine up: other programs, each with a reason where it does not work.
import { spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";

const stepMsMax = 120_000;

/** Runs one step; answers what went wrong in one line, or undefined. */
export function runStep(command, args, options = {}) {
  return readStep(command, args, options).reason;
}

/** The same, with what the step has written where nothing went wrong. */
export function readStep(command, args, options = {}) {
  const ended = spawnSync(command, args, { encoding: "utf8", timeout: stepMsMax, ...options });
  if (ended.error?.code === "ENOENT") return { reason: `this machine has no ${command}` };
  if (ended.error) return { reason: `${command}: ${ended.error.message}` };
  if (ended.status === 0) return { output: ended.stdout };
  const lastLine = ended.stderr.trim().split("\n").at(-1);
  return { reason: `${command} failed: ${lastLine}` };
}

export function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    // Absent or not ours to run: both mean that it is not the one.
    return false;
  }
}
