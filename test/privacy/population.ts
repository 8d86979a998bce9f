import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Random } from "../../relay/random.ts";

/** One running copy at some hour, as its report would have it. */
export interface Running {
  readonly instance: string;
  readonly version: string;
  readonly failed?: boolean;
}

/** What happens at a site. Asked in order of time. */
export interface Population {
  /** Those that have come or changed since the last time. */
  changed(hour: number): readonly Running[];
  /** Whether whoever is not among those that changed has gone. */
  readonly comeAndGo?: boolean;
}

/** A way in which sites of all sizes upgrade; what is drawn is drawn alike for all sizes. */
export type Workload = (size: number, random: Random) => Population;

const oldRelease = "1.0";
export const newRelease = "2.0";

const dayHours = 24;

/** Each instance upgrades by itself, after an exponential delay of half a day to two days. */
export const independent: Workload = (size, random) => {
  const begins = beginningOf(random);
  const delay = between(random, 12, 48);
  return upgradesAt(names(size).map(() => begins + exponential(random, delay)));
};

const waveShares = [0.05, 0.25, 0.5, 1];

/** Of a site of a size how many upgrade in each wave, as if each wave had days of its own. */
export function waveDays(size: number): number[] {
  const untils = waveShares.map((share) => Math.round(share * size));
  return untils.map((until, n) => until - (untils[n - 1] ?? 0));
}

/** 5 %, 25 %, 50 % and all, exactly, with half a day to two days between. */
export const waves: Workload = (size, random) => {
  let at = beginningOf(random);
  const ends = waveShares.map((share) => {
    const wave = { until: Math.round(share * size), at };
    at += between(random, 12, 48);
    return wave;
  });
  const order = shuffled(names(size), random);
  const hours = new Map(
    order.map((name, n) => [name, ends.find(({ until }) => n < until)?.at ?? at]),
  );
  return upgradesAt(names(size).map((name) => hours.get(name) ?? at));
};

/** One after the other, evenly, over two to six days: the most regular there is. */
export const serial: Workload = (size, random) => {
  const begins = beginningOf(random);
  const lasts = between(random, 2, 6) * dayHours;
  const order = shuffled(
    names(size).map((_, n) => n),
    random,
  );
  return upgradesAt(order.map((n) => begins + ((n + 1) / size) * lasts));
};

/** Of sites of these sizes how many upgrade on each day, when all begin and end alike. */
export function serialDays(sizes: readonly number[], random: Random): number[][] {
  const begins = random.fraction() * dayHours;
  const lasts = between(random, 2, 6) * dayHours;
  return sizes.map((size) => {
    const days = Array.from({ length: 8 }, () => 0);
    for (let n = 0; n < size; n++) {
      const day = Math.ceil((begins + ((n + 1) / size) * lasts) / dayHours);
      days[day] = (days[day] ?? 0) + 1;
    }
    return days;
  });
}

/** Instances live one to four days; who takes a place is new, and of what was current by then. */
export const churn: Workload = (size, random) => {
  const begins = beginningOf(random);
  const life = between(random, 1, 4) * dayHours;
  let made = 0;
  const start = (hour: number) => ({
    instance: `i-${made++}`,
    version: hour >= begins ? newRelease : oldRelease,
    ends: hour + exponential(random, life),
  });
  const places = names(size).map(() => start(0));
  const changed = (hour: number): Running[] =>
    places.map((_, n) => {
      for (let one = places[n]; one !== undefined && one.ends <= hour; one = places[n])
        places[n] = start(one.ends);
      return places[n] ?? start(hour);
    });
  return { changed, comeAndGo: true };
};

/** Nothing happens: a mix of two releases that stays as it is. What averaging has to work with. */
export const still: Workload = (size, random) => {
  const share = between(random, 0.2, 0.8);
  return upgradesAt(names(size).map(() => (random.fraction() < share ? 0 : Infinity)));
};

/** An upgrade during which each instance fails about once in a thousand hours. */
export const failing: Workload = (size, random) => {
  const upgrade = independent(size, random);
  const now = new Map<string, Running>();
  let failed: string[] = [];
  return {
    changed: (hour) => {
      const fresh = upgrade.changed(hour);
      for (const one of fresh) now.set(one.instance, one);
      const well = failed.flatMap((name) => now.get(name) ?? []);
      failed = names(size).filter(() => random.fraction() < 1 - Math.exp(-1e-3));
      const unwell = failed.flatMap((name) => now.get(name) ?? []);
      return [...well, ...fresh, ...unwell.map((one) => ({ ...one, failed: true }))];
    },
  };
};

interface Curves {
  readonly months: readonly { readonly shares: Readonly<Record<string, number>> }[];
}

const curves = JSON.parse(
  readFileSync(join(import.meta.dirname, "data/upgrade-curves.json"), "utf8"),
) as Curves;

/** Every release in the curves, the oldest first. */
export const curveReleases: readonly string[] = [
  ...new Set(curves.months.flatMap(({ shares }) => Object.keys(shares))),
].sort((a, b) => Number(a) - Number(b));

/**
 * The shares of a browser's releases, a month taken for a day: each instance keeps its place among
 * early and late ones, give or take.
 */
export const browser: Workload = (size, random) => {
  const places = names(size).map((instance) => ({ instance, quantile: random.fraction() }));
  const former = new Map<string, string>();
  return {
    changed: (hour) => {
      const day = Math.min(curves.months.length - 1, Math.floor(hour / dayHours));
      const versionOf = quantiles(curves.months[day]?.shares ?? {});
      return places.flatMap(({ instance, quantile }) => {
        const version = versionOf(quantile);
        if (former.get(instance) === version) return [];
        former.set(instance, version);
        return { instance, version };
      });
    },
  };
};

/** The release of whoever is so far from the oldest. */
function quantiles(shares: Readonly<Record<string, number>>): (quantile: number) => string {
  let upTo = 0;
  const ends = curveReleases.map((release) => ({ release, upTo: (upTo += shares[release] ?? 0) }));
  return (quantile) => ends.find((end) => quantile < end.upTo)?.release ?? "0";
}

function upgradesAt(hours: readonly number[]): Population {
  const order = hours.map((at, n) => ({ at, instance: `i-${n}` })).sort((a, b) => a.at - b.at);
  let next = -1;
  return {
    changed: (hour) => {
      const fresh: Running[] = [];
      if (next < 0) fresh.push(...order.map(({ instance }) => ({ instance, version: oldRelease })));
      for (next = Math.max(0, next); (order[next]?.at ?? Infinity) <= hour; next++)
        fresh.push({ instance: order[next]?.instance ?? "", version: newRelease });
      return fresh;
    },
  };
}

function names(size: number): string[] {
  return Array.from({ length: size }, (_, n) => `i-${n}`);
}

function beginningOf(random: Random): number {
  return between(random, 2 * dayHours, 6 * dayHours);
}

export function between(random: Random, low: number, high: number): number {
  return low + random.fraction() * (high - low);
}

export function exponential(random: Random, mean: number): number {
  return -mean * Math.log(1 - random.fraction());
}

function shuffled<T>(all: readonly T[], random: Random): T[] {
  const order = [...all];
  for (let n = order.length - 1; n > 0; n--) {
    const other = random.below(n + 1);
    [order[n], order[other]] = [order[other] as T, order[n] as T];
  }
  return order;
}
