import { type Answer, answersOf, type Scale } from "./experiment.ts";
import { experiments } from "./experiments.ts";
import { type HopError, hopError } from "./hops.ts";
import { type SendTimes, sendTimes } from "./send-times.ts";
import { type ZeroDate, zeroDate } from "./zero-date.ts";

export interface Findings {
  readonly seed: number;
  readonly scale: Scale;
  readonly answers: readonly Answer[];
  readonly hops: readonly HopError[];
  readonly zeroDates: readonly ZeroDate[];
  readonly sendTimes: SendTimes;
}

/** In points of a percentage, of shares between 10 % and 90 %. */
const biasMax = 1;
const p95Max = 3;

/** Of the date of a census's answer. */
const bitsMax = 0.05;

/** Runs everything, from one seed; `tell` hears of each answer as it comes. */
export function investigate(of: {
  scale: Scale;
  hopTrials: number;
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
  return { seed, scale, answers, hops, zeroDates, sendTimes: sendTimes(seed) };
}

/** Bounds that were missed, a sentence each. */
export function missed({
  answers,
  hops,
  zeroDates,
  sendTimes: { listsCount },
}: Findings): string[] {
  return [
    ...answers.flatMap(missedBy),
    ...(listsCount === 1 ? [] : [`documents are sent at ${listsCount} different lists of times`]),
    ...hops.flatMap(({ bias, p95 }) =>
      Math.abs(bias) > biasMax || p95 > p95Max
        ? [`two hops: bias ${bias.toFixed(2)}, p95 ${p95.toFixed(2)} points`]
        : [],
    ),
    ...zeroDates.flatMap(({ delayDays, windowDays, anchored, bits }) =>
      anchored && windowDays >= 12 * delayDays && bits > bitsMax
        ? [`date of a zero: ${bits.toFixed(3)} bits with windows of ${windowDays} days`]
        : [],
    ),
  ];
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
