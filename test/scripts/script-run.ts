import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { expect, onTestFinished } from "vitest";
import { eventually } from "../../scripts/demo/eventually.ts";

export interface ScriptRun {
  readonly child: ChildProcess;
  readonly temporaryDir: string;
  said(): string;
}

/** In a process group and a folder for temporary files of its own, so that leftovers are seen. */
export function startScript(
  command: readonly [file: string, ...args: string[]],
  env: Readonly<Record<string, string>> = {},
): ScriptRun {
  const temporaryDir = mkdtempSync(join(tmpdir(), "headwater-script-test-"));
  const [file, ...args] = command;
  const child = spawn(file, args, {
    detached: true,
    env: { ...process.env, TMPDIR: temporaryDir, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (data: Buffer) => (said += data.toString()));
  onTestFinished(() => {
    if (isGroupAlive(child)) process.kill(-groupOf(child), "SIGKILL");
    rmSync(temporaryDir, { recursive: true, force: true });
  });
  return { child, temporaryDir, said: () => said };
}

function groupOf({ pid }: ChildProcess): number {
  if (pid === undefined) throw new Error("it was not started");
  return pid;
}

function isGroupAlive(child: ChildProcess): boolean {
  try {
    return process.kill(-groupOf(child), 0);
  } catch {
    return false;
  }
}

export async function expectNothingLeft({ child, temporaryDir }: ScriptRun): Promise<void> {
  await eventually("no process is left", () => !isGroupAlive(child));
  expect(readdirSync(temporaryDir)).toEqual([]);
}
