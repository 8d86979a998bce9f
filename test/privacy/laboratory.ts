import { hostileSite, hostileStringsCount } from "../relay/telemetry/hostile-strings.ts";
import { type CensusRuns, censusProblems, censusRuns } from "./census-runs.ts";
import { type Answer, answersOf, type Scale } from "./experiment.ts";
import { experiments } from "./experiments.ts";
import { type HopError, hopError } from "./hops.ts";
import { type VerdictShare, verdictProblems, verdictShares } from "./release-verdicts.ts";
import { type SendTimes, sendTimes } from "./send-times.ts";
import { type ZeroDate, zeroDate } from "./zero-date.ts";

/** Strings that the project has never published, said by apps. */
export interface HostileStrings {
  readonly stringsCount: number;
  /** Documents and records that had one of them in, at any level. */
  readonly leaksCount: number;
}

export interface Findings {
  readonly seed: number;
  readonly scale: Scale;
  readonly answers: readonly Answer[];
  readonly hops: readonly HopError[];
  readonly zeroDates: readonly ZeroDate[];
  readonly sendTimes: SendTimes;
  readonly hostile: HostileStrings;
  readonly census: CensusRuns;
  readonly verdicts: readonly VerdictShare[];
}

const levels = ["EXACT", "ROUNDED", "PANEL", "MODAL"] as const;

/** In points of a percentage, of shares between 10 % and 90 %. */
const biasMax = 1;
const p95Max = 3;

/** Of the date of a census's answer. */
export const bitsMax = 0.05;

/** Runs everything, from one seed; `tell` hears of each answer as it comes. */
export function investigate(of: {
  scale: Scale;
  hopTrials: number;
  censusRuns: number;
  verdictRuns: number;
  seed: number;
  tell: (line: string) => void;
}): Findings {
  const { scale, seed, tell } = of;
  const answers = experiments.flatMap((experiment) => {
    const found = answersOf({ experiment, scale, seed });
    for (const { level, accuracy, attacker } of found)
      tell(`${experiment.name}, ${level}: ${accuracy.toFixed(3)} (${attacker})`);
    return found;
  });
  const hops = [{ vendorsCount: 5, sitesCount: 50 }].map((size) =>
    hopError({ ...size, trialsCount: of.hopTrials, seed }),
  );
  const zeroDates = [
    { delayDays: 1, windowDays: 1, anchored: true },
    { delayDays: 1, windowDays: 30, anchored: true },
    { delayDays: 7, windowDays: 90, anchored: true },
    { delayDays: 7, windowDays: 90, anchored: false },
  ].map((one) => zeroDate({ ...one, runs: 20_000, seed }));
  const hostile = hostileStrings(seed);
  const verdicts = verdictShares({ runsCount: of.verdictRuns, seed });
  const census = censusRuns({ runsCount: of.censusRuns, seed, tell });
  return {
    seed,
    scale,
    answers,
    hops,
    zeroDates,
    sendTimes: sendTimes(seed),
    hostile,
    census,
    verdicts,
  };
}

export function hostileStrings(seed: number): HostileStrings {
  const leaks = levels.map((level) => hostileSite({ level, seed }).leaksCount);
  const leaksCount = leaks.reduce((sum, count) => sum + count);
  return { stringsCount: hostileStringsCount, leaksCount };
}

/** Bounds that were missed, of all or of some of it, a sentence each. */
export function missed({
  answers = [],
  hops = [],
  zeroDates = [],
  sendTimes,
  hostile,
  census,
  verdicts = [],
}: Partial<Findings>): string[] {
  const { listsCount = 1 } = sendTimes ?? {};
  return [
    ...answers.flatMap(missedBy),
    ...(listsCount === 1 ? [] : [`documents are sent at ${listsCount} different lists of times`]),
    ...((hostile?.leaksCount ?? 0) === 0 ? [] : [`${hostile?.leaksCount} leaks of strings`]),
    ...(census === undefined ? [] : censusProblems(census)),
    ...verdictProblems(verdicts),
    ...hops.flatMap(({ bias, p95 }) =>
      Math.abs(bias) > biasMax || p95 > p95Max
        ? [`two hops: bias ${bias.toFixed(2)}, p95 ${p95.toFixed(2)} points`]
        : [],
    ),
    ...zeroDates
      .filter((one) => isBounded(one) && one.bits > bitsMax)
      .map(({ bits, windowDays }) => {
        return `date of a zero: ${bits.toFixed(3)} bits with windows of ${windowDays} days`;
      }),
  ];
}

/** Where windows begin with the question and are long: others are shown to be worse. */
export function isBounded({ anchored, windowDays, delayDays }: ZeroDate): boolean {
  return anchored && windowDays >= 12 * delayDays;
}

/** Where it is worked out what nobody can exceed, that counts: a run among so few sites is off by chance. */
function missedBy({
  experiment,
  level,
  accuracy,
  most,
  interval,
  ceiling,
  bytesCount,
}: Answer): string[] {
  const reached = ceiling ?? accuracy;
  return [
    ...(most !== undefined && reached > most
      ? [`${experiment}, ${level}: ${reached.toFixed(3)} is more than ${most}`]
      : []),
    // Four standard errors: the interval is four of them wide.
    ...(ceiling !== undefined && accuracy - ceiling > interval[1] - interval[0]
      ? [`${experiment}, ${level}: ${accuracy.toFixed(3)} contradicts a ceiling of ${ceiling}`]
      : []),
    ...(bytesCount === 1 ? [] : [`${experiment}, ${level}: documents of ${bytesCount} sizes`]),
  ];
}
