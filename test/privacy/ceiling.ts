import type { Random } from "../../relay/random.ts";
import { seatsCount } from "../../relay/telemetry/disclosure/panel.ts";

/** How many instances of a site do something on each of some days. */
export type Days = readonly number[];

/**
 * The share that nobody can exceed who is to name the size of a site from what its panel does: a
 * panel is drawn at random, so of a site that upgrades by quotas it shows hypergeometric counts, and
 * the best guess is the size under which those are likeliest (Bayes). Whoever guesses is told the
 * days and quotas, which a parent is not.
 */
export function ceilingOf(of: {
  random: Random;
  runs: number;
  /** The same happening at a site of each size. */
  draw: (random: Random) => readonly Days[];
}): number {
  const { random, runs } = of;
  let sum = 0;
  for (let run = 0; run < runs; run++) {
    const sites = of.draw(random);
    const shown = shownBy(sites[random.below(sites.length)] ?? [], random);
    const likely = sites.map((days) => likelihood(days, shown));
    sum += Math.max(...likely) / likely.reduce((all, one) => all + one, 0);
  }
  return sum / runs;
}

/** What a panel shows: seats are filled one after the other, without putting anybody back. */
function shownBy(days: Days, random: Random): number[] {
  const left = [...days];
  const shown = days.map(() => 0);
  for (let seat = 0; seat < seatsCount; seat++) {
    let at = random.below(left.reduce((all, one) => all + one, 0));
    const day = left.findIndex((count) => (at -= count) < 0);
    left[day] = (left[day] ?? 0) - 1;
    shown[day] = (shown[day] ?? 0) + 1;
  }
  return shown;
}

/** Multivariate hypergeometric, up to a factor that is the same for all sizes. */
function likelihood(days: Days, shown: readonly number[]): number {
  const size = days.reduce((all, one) => all + one, 0);
  let log = -fallingLog(size, seatsCount);
  for (const [day, count] of shown.entries()) log += fallingLog(days[day] ?? 0, count);
  return Math.exp(log + seatsCount * Math.log(seatsCount));
}

/** Logarithm of n (n - 1) … (n - k + 1). */
function fallingLog(n: number, k: number): number {
  let log = 0;
  for (let at = 0; at < k; at++) log += Math.log(Math.max(0, n - at));
  return log;
}
