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
    ofFew = Math.min(ofFew, cpuUs(prepare(few)));
    ofMany = Math.min(ofMany, cpuUs(prepare(many)));
  }
  return ofMany / ofFew;
}

/** Of this process: how long it stood still for others is no work. That of a thread is told in ticks. */
function cpuUs(work: () => void): number {
  const began = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(began);
  return user + system;
}
