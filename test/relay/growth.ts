import process from "node:process";

const runsCount = 7;

/**
 * How many times as long a work takes with many things as with few: about as many times as there are more
 * of them where it goes through them once, the square of that where it goes through all for each. Of
 * each size the least of several runs counts, taken in turn: what else the machine does makes none of
 * them shorter.
 *
 * `prepare` answers the work; what it does itself does not count.
 */
export function growth(
  { few, many }: { few: number; many: number },
  prepare: (size: number) => () => void,
): number {
  let [ofFew, ofMany] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let run = 0; run < runsCount; run++) {
    // The clock of a thread may have ticks that are longer than a short work: the least of several
    // times by the wall is near to what it takes, and never below.
    ofFew = Math.min(ofFew, timesOf(prepare(few)).wallMs);
    ofMany = Math.min(ofMany, timesOf(prepare(many)).threadMs);
  }
  return ofMany / ofFew;
}

/** By the wall, and of this thread alone: how long it stood still for others is no work. */
function timesOf(work: () => void): { wallMs: number; threadMs: number } {
  const began = process.threadCpuUsage();
  const beganMs = performance.now();
  work();
  const wallMs = performance.now() - beganMs;
  const { user, system } = process.threadCpuUsage(began);
  return { wallMs, threadMs: (user + system) / 1_000 };
}
