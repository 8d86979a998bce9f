// Tries inputs at one door in a thread of its own, which may hang or run out of memory.
import { parentPort, workerData } from "node:worker_threads";
import { type Finding, FuzzSession, type SessionOutcome } from "./fuzz-session.ts";
import { InputSlot } from "./input-slot.ts";
import type { Target } from "./target.ts";

export interface WorkerTask {
  /** The address of a module, and the name that its `targetOf` has for the target. */
  readonly targets: string;
  readonly target: string;
  readonly inputsCount: number;
  readonly seed: number;
  readonly isGuided: boolean;
  readonly isBlind: boolean;
  readonly shared: SharedArrayBuffer;
}

export type WorkerMessage = { readonly finding: Finding } | { readonly outcome: SessionOutcome };

const task = workerData as WorkerTask;
const { targetOf } = (await import(task.targets)) as { targetOf: (name: string) => Target };
const post = (message: WorkerMessage): void => parentPort?.postMessage(message);
const session = new FuzzSession({
  ...task,
  target: targetOf(task.target),
  slot: new InputSlot(task.shared),
  onFinding: (finding) => post({ finding }),
});
post({ outcome: await session.run() });
