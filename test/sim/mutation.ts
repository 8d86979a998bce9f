import { Worker } from "node:worker_threads";
import type { Mutant } from "./mutant.ts";

/** What became of a mutant. */
export interface Caught {
  /** The seed of the first story that catches it; undefined when none does. */
  readonly seed: number | undefined;
  /** The promise that is broken, or why nothing runs any more. */
  readonly by: string;
}

export interface MutantTask {
  readonly mutant: Mutant;
  readonly seedsMax: number;
}

/** For a step that never returns: what only goes round in simulated time breaks a promise, U11. */
const deadlineMs = 30 * 60_000;

/** Runs seed after seed against a core with one mistake, in a thread of its own, until one catches it. */
export function tryMutant(task: MutantTask): Promise<Caught> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("mutant-worker.ts", import.meta.url), { workerData: task });
    const end = (caught: Caught): void => {
      clearTimeout(deadline);
      resolve(caught);
      void worker.terminate();
    };
    const deadline = setTimeout(() => end({ seed: undefined, by: "has not ended" }), deadlineMs);
    worker.once("message", end);
    worker.once("error", (thrown) => {
      clearTimeout(deadline);
      reject(thrown);
    });
  });
}
