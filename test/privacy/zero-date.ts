import { Random } from "../../relay/random.ts";
import { between } from "./population.ts";

const sizes = [20, 100, 1_000, 10_000];

/** What the date of a census's answer tells about the size of a site. */
export interface ZeroDate {
  /** How long an instance takes to leave a release, on average. */
  readonly delayDays: number;
  readonly windowDays: number;
  /** Windows begin when the question was asked, or at fixed dates of the calendar. */
  readonly anchored: boolean;
  readonly bits: number;
}

/**
 * The last of n instances leaves after the longest of n exponential delays; the answer is at the end
 * of the first window that saw none. Mutual information of size and date, from frequencies.
 */
export function zeroDate(of: Omit<ZeroDate, "bits"> & { runs: number; seed: number }): ZeroDate {
  const random = new Random(of.seed);
  const counts = sizes.map((size) => {
    const dates = new Map<number, number>();
    for (let run = 0; run < of.runs; run++) {
      const last = -of.delayDays * Math.log(1 - random.fraction() ** (1 / size));
      const begins = of.anchored ? 0 : between(random, 0, of.windowDays);
      const date = Math.ceil((begins + last) / of.windowDays);
      dates.set(date, (dates.get(date) ?? 0) + 1);
    }
    return dates;
  });
  const { delayDays, windowDays, anchored } = of;
  return { delayDays, windowDays, anchored, bits: bitsOf(counts, of.runs) };
}

function bitsOf(counts: readonly ReadonlyMap<number, number>[], runs: number): number {
  const dates = new Set(counts.flatMap((one) => [...one.keys()]));
  let bits = 0;
  for (const date of dates) {
    const all = counts.reduce((sum, one) => sum + (one.get(date) ?? 0), 0) / (runs * counts.length);
    for (const one of counts) {
      const share = (one.get(date) ?? 0) / runs;
      if (share > 0) bits += (share / counts.length) * Math.log2(share / all);
    }
  }
  return bits;
}
