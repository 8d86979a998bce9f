import { create } from "@bufbuild/protobuf";
import { type Weight, type Weights, WeightsSchema } from "../../gen/headwater/v1/telemetry_pb.ts";
import { crashInstancesMin } from "./crashes.ts";
import type { Tally } from "./intake/tally.ts";
import type { Vocabulary } from "./vocabulary.ts";

/** All of something, in basis points. */
export const whole = 10_000;

/** What a count's field holds; children may say anything. */
const countMax = 2 ** 32 - 1;

export const weightLists = ["releases", "degraded", "failed", "flags", "crashes"] as const;

export type WeightList = (typeof weightLists)[number];

/** How an instance has crashed. */
export type CrashesOf = (instance: string) => readonly string[];

/**
 * Shares of the instances that report, exactly: of each release, of those degraded and failed on
 * it, of those with a flag last answered on, and of those that have crashed so, if they are three or
 * more. Every word of the vocabulary is there.
 */
export function weigh(
  tally: Tally,
  vocabulary: Vocabulary,
  crashesOf: CrashesOf = () => [],
): Weights {
  const counts = {
    releases: zeros(vocabulary.releases),
    degraded: zeros(vocabulary.releases),
    failed: zeros(vocabulary.releases),
    flags: zeros(vocabulary.flags),
    crashes: countCrashes(tally, vocabulary, crashesOf),
  };
  for (const [version, [ok, degraded, failed]] of tally.versions) {
    const release = vocabulary.releaseOf(version);
    count(counts.releases, release, ok + degraded + failed);
    count(counts.degraded, release, degraded);
    count(counts.failed, release, failed);
  }
  for (const [flag, n] of tally.flags) count(counts.flags, flag, n);
  const list = (
    of: ReadonlyMap<string, number>,
  ): { name: string; basisPoints: number; count: number }[] =>
    [...of].map(([name, n]) => ({
      name,
      basisPoints: shareOf(n * whole, tally.count),
      count: n,
    }));
  return create(WeightsSchema, {
    releases: list(counts.releases),
    degraded: list(counts.degraded),
    failed: list(counts.failed),
    flags: list(counts.flags),
    crashes: list(counts.crashes),
    releasesOnly: 0,
  });
}

/** One reporter's part in a mean. */
export interface Reporter {
  readonly weights: Weights;
  /** Counts are passed on only when every reporter has them. */
  readonly hasCounts: boolean;
  /** It says the most common release, and nothing of the rest. */
  readonly isModal: boolean;
}

/**
 * The equal-weight mean of all reporters, so that none has more than its share, whatever it says;
 * never renormalised. A word that a reporter does not know counts as 0 there. For one who says nothing
 * of a list the others speak, as far as it runs the project: what is on is a part of what runs. Where
 * none of those runs it, nothing is known.
 */
export function meanOf(reporters: readonly Reporter[], vocabulary: Vocabulary): Weights {
  const hasCounts = reporters.every((reporter) => reporter.hasCounts);
  const telling = reporters.filter(({ isModal }) => !isModal);
  const runsThere = runningOf(telling);
  const runsHere = runningOf(reporters);
  const tellingPart = runsThere === 0 ? 1 : runsHere / runsThere;
  const releases = sumsOf(reporters, "releases", vocabulary.releases);
  // Where all tell, they need not be added up again.
  const told =
    telling.length === reporters.length
      ? releases
      : sumsOf(telling, "releases", vocabulary.releases);
  const releaseParts = partsOf(
    { sums: releases, of: reporters.length },
    { sums: told, of: telling.length },
  );
  const mean = (list: WeightList): { name: string; basisPoints: number; count: number }[] => {
    const words = wordsOf(vocabulary, list);
    const isAll = list === "releases";
    const askedCount = isAll ? reporters.length : telling.length;
    const sums = isAll ? releases : sumsOf(telling, list, words);
    const parts = isByRelease(list) ? releaseParts : [];
    return words.map((name, at) => {
      const count = hasCounts ? Math.min(countMax, sums.counts[at] ?? 0) : 0;
      const part = isAll ? 1 : Math.min(tellingPart, parts[at] ?? tellingPart);
      const share = Math.min(whole * askedCount, part * (sums.shares[at] ?? 0));
      return { name, basisPoints: shareOf(share, askedCount), count };
    });
  };
  return create(WeightsSchema, {
    releases: mean("releases"),
    degraded: mean("degraded"),
    failed: mean("failed"),
    flags: mean("flags"),
    crashes: mean("crashes"),
    releasesOnly: runsThere === 0 && runsHere > 0 ? 1 : 0,
  });
}

interface Summed {
  readonly sums: { readonly shares: Float64Array };
  /** How many took part. */
  readonly of: number;
}

/**
 * How much of each release there is among all, for one that there is among those who tell how it does:
 * others may run another release, of which no more has failed for that.
 */
function partsOf(all: Summed, telling: Summed): (number | undefined)[] {
  return Array.from(all.sums.shares, (share, at) => {
    const told = telling.sums.shares[at] ?? 0;
    return told === 0 ? undefined : share / all.of / (told / telling.of);
  });
}

function isByRelease(list: WeightList): boolean {
  return list === "degraded" || list === "failed";
}

/** How much of them runs anything at all, on average. */
function runningOf(reporters: readonly Reporter[]): number {
  const running = reporters.map(({ weights: { releases } }) =>
    Math.min(whole, sum(releases.map(({ basisPoints = 0 }) => basisPoints))),
  );
  return sum(running) / Math.max(1, reporters.length);
}

/** Word by word, in their order; each weight of each reporter is looked at once. */
function sumsOf(
  reporters: readonly Reporter[],
  list: WeightList,
  words: readonly string[],
): { shares: Float64Array; counts: Float64Array } {
  const shares = new Float64Array(words.length);
  const counts = new Float64Array(words.length);
  if (words.length === 0) return { shares, counts };
  const places = new Map(words.map((word, at) => [word, at]));
  for (const { weights } of reporters) {
    const part = list === "releases" || isByRelease(list) ? partOf(weights.releases) : 1;
    for (const { name, basisPoints = 0, count: n = 0 } of weights[list]) {
      const at = places.get(name);
      if (at === undefined) continue;
      shares[at] = (shares[at] ?? 0) + part * Math.min(whole, basisPoints);
      counts[at] = (counts[at] ?? 0) + n;
    }
  }
  return { shares, counts };
}

/** An instance has one release, so that all of them together are the whole at most. */
function partOf(releases: readonly Weight[]): number {
  const all = sum(releases.map(({ basisPoints = 0 }) => Math.min(whole, basisPoints)));
  return whole / Math.max(whole, all);
}

function wordsOf(vocabulary: Vocabulary, list: WeightList): readonly string[] {
  return list === "flags" || list === "crashes" ? vocabulary[list] : vocabulary.releases;
}

/** Basis points as whole numbers; what is there at all is never 0, however large the fleet. */
function shareOf(basisPoints: number, of: number): number {
  return basisPoints === 0 ? 0 : Math.max(1, Math.round(basisPoints / of));
}

export function byName(weights: readonly Weight[]): Map<string, Weight> {
  return new Map(weights.map((weight) => [weight.name, weight]));
}

function zeros(words: readonly string[]): Map<string, number> {
  return new Map(words.map((word) => [word, 0]));
}

/** Few instances stand for a panel more than once; what counts is how many there are. */
function countCrashes(
  tally: Tally,
  vocabulary: Vocabulary,
  crashesOf: CrashesOf,
): Map<string, number> {
  const counts = zeros(vocabulary.crashes);
  if (counts.size === 0) return counts;
  const crashed = zeros(vocabulary.crashes);
  for (const [instance, n] of tally.crashed)
    for (const crash of crashesOf(instance)) {
      count(counts, crash, n);
      count(crashed, crash, 1);
    }
  for (const [crash, instances] of crashed) if (instances < crashInstancesMin) counts.set(crash, 0);
  return counts;
}

/** Words outside the vocabulary are dropped here. */
function count(counts: Map<string, number>, word: string, by: number): void {
  const n = counts.get(word);
  if (n !== undefined) counts.set(word, n + by);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, n) => total + n, 0);
}
