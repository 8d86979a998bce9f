import { Worker } from "node:worker_threads";
import type { Finding, SessionOutcome } from "./fuzz-session.ts";
import type { WorkerMessage, WorkerTask } from "./fuzz-worker.ts";
import { InputSlot } from "./input-slot.ts";

/** No input may take longer, on a machine that does other work as well. */
const hangMs = 20_000;

/** Past it a thread ends: an input that makes it grow is a finding, not the end of the machine. */
const heapMibMax = 768;

export interface ThreadOutcome {
  /** Undefined when the thread hung or ended before it was done. */
  readonly outcome: SessionOutcome | undefined;
  readonly findings: readonly Finding[];
}

/** Tries inputs at one door in a thread, and watches it. */
export async function runThread(
  task: Omit<WorkerTask, "shared">,
  onProgress: (inputsCount: number) => void = () => {},
): Promise<ThreadOutcome> {
  const slot = new InputSlot();
  const findings: Finding[] = [];
  let outcome: SessionOutcome | undefined;
  const worker = new Worker(new URL("fuzz-worker.ts", import.meta.url), {
    workerData: { ...task, shared: slot.shared } satisfies WorkerTask,
    resourceLimits: { maxOldGenerationSizeMb: heapMibMax },
  });
  const found = (what: string): void => {
    findings.push({ target: task.target, what, input: slot.underWay ?? new Uint8Array(0) });
  };
  worker.on("message", (message: WorkerMessage) => {
    if ("finding" in message) findings.push(message.finding);
    else outcome = message.outcome;
  });
  worker.on("error", (error) => found(`the thread has ended: ${(error as Error).stack}`));
  const watch = watchdog(slot, onProgress, () => {
    found(`hang: more than ${hangMs / 1000} s`);
    void worker.terminate();
  });
  await new Promise((resolve) => worker.once("exit", resolve));
  clearInterval(watch);
  return { outcome, findings };
}

function watchdog(
  slot: InputSlot,
  onProgress: (inputsCount: number) => void,
  onHang: () => void,
): NodeJS.Timeout {
  let last = { count: 0, atMs: performance.now() };
  return setInterval(() => {
    const count = slot.begunCount;
    const atMs = performance.now();
    if (count !== last.count || slot.underWay === undefined) {
      last = { count, atMs };
      onProgress(count);
    } else if (atMs - last.atMs > hangMs) {
      last = { count, atMs: Number.POSITIVE_INFINITY };
      onHang();
    }
  }, 500);
}
