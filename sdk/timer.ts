import { wakeMsMax } from "./limits.ts";

/** Calls back once, unless cancelled by what it answers. Keeps no process alive. */
export function startTimer(ms: number, callback: () => void): () => void {
  const timer = setTimeout(callback, ms);
  letEnd(timer);
  return () => clearTimeout(timer);
}

/**
 * The same, and soon after the machine has slept for longer: timers stand still meanwhile, while the
 * time of day goes on. Where that is set back, timers count.
 */
export function startSilenceTimer(ms: number, callback: () => void): () => void {
  const endMs = Date.now() + ms;
  let leftMs = ms;
  let cancel = (): void => {};
  const goOn = (): void => {
    if (leftMs <= 0 || Date.now() >= endMs) return callback();
    const stepMs = Math.min(leftMs, wakeMsMax);
    leftMs -= stepMs;
    cancel = startTimer(stepMs, goOn);
  };
  goOn();
  return () => cancel();
}

/** Resolves after `ms`, or when the signal says so. Keeps no process alive. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const cancel = startTimer(ms, () => {
      signal.removeEventListener("abort", stop);
      resolve();
    });
    const stop = (): void => {
      cancel();
      resolve();
    };
    signal.addEventListener("abort", stop, { once: true });
  });
}

/**
 * Resolves when `work` has ended, well or not, or after `ms`. Keeps the process alive until then:
 * everything else in this library lets it end, and somebody is waiting for this.
 */
export async function atMost(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work.then(nothing, nothing), late]);
  clearTimeout(timer);
}

/** Timers of browsers are numbers, which have no say in when the page ends. */
function letEnd(timer: unknown): void {
  (timer as { unref?: () => void }).unref?.();
}

function nothing(): void {}
