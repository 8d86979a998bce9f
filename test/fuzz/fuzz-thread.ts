import { Worker } from "node:worker_threads";
import type { Finding, SessionOutcome } from "./fuzz-session.ts";
import type { WorkerMessage, WorkerTask } from "./fuzz-worker.ts";
import { InputSlot } from "./input-slot.ts";

/** What a thread may do; tests of the watching itself have less patience. */
interface ThreadOptions {
  /** The module whose `targetOf` knows the target. */
  readonly targets?: URL;
  /** No input may take longer, on a machine that does other work as well. */
  readonly hangMs?: number;
  /** Past it a thread ends: an input that makes it grow is a finding, not the end of the machine. */
  readonly heapMibMax?: number;
  readonly onProgress?: (inputsCount: number) => void;
}

const allTargets = new URL("targets.ts", import.meta.url);

const lookIntervalMs = 500;

export interface ThreadOutcome {
  /** Undefined when the thread hung or ended before it was done. */
  readonly outcome: SessionOutcome | undefined;
  readonly findings: readonly Finding[];
}

/** Tries inputs at one door in a thread, and watches it. */
export async function runThread(
  task: Omit<WorkerTask, "shared" | "targets">,
  of: ThreadOptions = {},
): Promise<ThreadOutcome> {
  const { targets = allTargets, hangMs = 20_000, heapMibMax = 768, onProgress = () => {} } = of;
  const slot = new InputSlot();
  const findings: Finding[] = [];
  let outcome: SessionOutcome | undefined;
  let isEndKnown = false;
  const worker = new Worker(new URL("fuzz-worker.ts", import.meta.url), {
    workerData: { ...task, targets: targets.href, shared: slot.shared } satisfies WorkerTask,
    resourceLimits: { maxOldGenerationSizeMb: heapMibMax },
  });
  const ended = (what: string): void => {
    isEndKnown = true;
    findings.push({ target: task.target, what, input: slot.underWay ?? new Uint8Array(0) });
  };
  worker.on("message", (message: WorkerMessage) => {
    if ("finding" in message) findings.push(message.finding);
    else outcome = message.outcome;
  });
  worker.on("error", (error) => ended(`the thread has ended: ${(error as Error).stack}`));
  const watch = watchdog({ slot, hangMs, onProgress }, () => {
    ended(`hang: more than ${hangMs / 1000} s`);
    void worker.terminate();
  });
  const code = await new Promise<number>((resolve) => worker.once("exit", resolve));
  clearInterval(watch);
  if (outcome === undefined && !isEndKnown) ended(`the thread has ended with ${code}`);
  return { outcome, findings };
}

function watchdog(
  of: { slot: InputSlot; hangMs: number; onProgress: (inputsCount: number) => void },
  onHang: () => void,
): NodeJS.Timeout {
  const { slot, hangMs, onProgress } = of;
  let last = { count: 0, atMs: performance.now() };
  return setInterval(
    () => {
      const count = slot.begunCount;
      const atMs = performance.now();
      if (count !== last.count || slot.underWay === undefined) {
        last = { count, atMs };
        onProgress(count);
      } else if (atMs - last.atMs > hangMs) {
        last = { count, atMs: Number.POSITIVE_INFINITY };
        onHang();
      }
    },
    Math.min(lookIntervalMs, hangMs / 4),
  );
}
