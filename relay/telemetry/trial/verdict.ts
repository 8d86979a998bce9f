import { binomialTail, fisherTail } from "./chance.ts";

/** A judgement made where the exact data is. */
export const verdicts = ["INSUFFICIENT", "OK", "DEGRADED", "BAD"] as const;

export type VerdictWord = (typeof verdicts)[number];

/** One side of a comparison: each instance is counted once. */
export interface ArmCounts {
  readonly instances: number;
  /** Those that were ever degraded or failed, and those that ever failed. */
  readonly unwell: number;
  readonly failed: number;
  /**
   * For how long instances were watched, all together, until they failed: in half intervals, two
   * for each in which one was heard again, and one for the first, which it spent half of on average.
   */
  readonly halfIntervals: number;
}

/** When a trial is looked at, counted in windows of health documents after it has begun. */
export const lookWindows = [1, 6, 24, 72] as const;

/** Below this many instances on either side nothing is said. */
export const instancesJudgedMin = 20;

/**
 * The chance, over all looks of one trial, that something which is no worse is called BAD, and the
 * same for worse than OK in any way. A rollout of five steps, a trial each, stays below 1 %.
 */
export const falseAlarmShareMax = 0.002;

/**
 * What each look may have of it: whatever the looks have to do with each other, their chances
 * together are at most this sum. By the third, a day after the beginning, what fails seldom can be
 * told from chance, so that has most; what fails often is far below any of these at the first.
 */
const lookParts = [0.1, 0.1, 0.7, 0.1] as const;

/** A difference that would not make anybody act, as a share of instances. */
const shareIgnored = 0.0025;

/**
 * BAD when more instances have failed than on the other side, DEGRADED when more are unwell.
 * @param look which of the looks it is, from 0
 */
export function judge(subject: ArmCounts, control: ArmCounts, look: number): VerdictWord {
  const shareMax = (lookParts[look] ?? 0) * falseAlarmShareMax;
  if (subject.instances < instancesJudgedMin || control.instances < instancesJudgedMin)
    return "INSUFFICIENT";
  const isMore = (what: "failed" | "unwell"): boolean =>
    isMoreOf(what, { subject, control, shareMax });
  if (isMore("failed")) return "BAD";
  return isMore("unwell") ? "DEGRADED" : "OK";
}

/**
 * Two exact tests, and both have to say so. Fisher's compares shares of instances, so it would
 * blame the side that was watched for longer; the other compares failures by time watched (given
 * all failures, those of one of two equal Poisson processes are binomial, with its share of the
 * time), so it would blame the side whose instances have only just started. No side is both.
 */
function isMoreOf(
  what: "failed" | "unwell",
  of: { subject: ArmCounts; control: ArmCounts; shareMax: number },
): boolean {
  const { subject, control, shareMax } = of;
  const side = { hits: subject[what], of: subject.instances };
  const other = { hits: control[what], of: control.instances };
  if (side.hits / side.of - other.hits / other.of <= shareIgnored) return false;
  if (fisherTail(side, other) > shareMax) return false;
  const watched = subject.halfIntervals / (subject.halfIntervals + control.halfIntervals);
  const all = side.hits + other.hits;
  return binomialTail({ hits: side.hits, of: all }, watched) <= shareMax;
}

/** How many say what; those that can not tell are left out. */
export type VerdictCounts = Readonly<Record<Exclude<VerdictWord, "INSUFFICIENT">, number>>;

/** What a parent makes of its children's verdicts on one item. */
export function joinVerdicts({ OK, DEGRADED, BAD }: VerdictCounts): VerdictWord {
  const conclusive = OK + DEGRADED + BAD;
  if (conclusive === 0) return "INSUFFICIENT";
  if (BAD >= (conclusive === 1 ? 1 : Math.max(2, conclusive * 0.05))) return "BAD";
  return BAD + DEGRADED > 0 ? "DEGRADED" : "OK";
}
