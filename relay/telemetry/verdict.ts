/** A judgement made where the exact data is. */
export const verdicts = ["INSUFFICIENT", "OK", "DEGRADED", "BAD"] as const;

export type VerdictWord = (typeof verdicts)[number];

export interface HealthCounts {
  readonly instances: number;
  readonly degraded: number;
  readonly failed: number;
}

/** Below this many instances on either side nothing is said. */
const instancesCountMin = 20;

/**
 * One-sided 0.5 % point of the normal distribution: of releases that are no worse than the one
 * before, at most about one in two hundred is called worse at each look.
 */
const zBad = 2.576;

/** A difference that would not make anybody act, as a share of instances. */
const shareIgnored = 0.005;

/**
 * A release against the one before it: two shares compared by their pooled z-score (e.g. Fleiss,
 * Statistical Methods for Rates and Proportions, 2.3). BAD when more instances have failed,
 * DEGRADED when more are degraded or failed.
 */
export function judge(release: HealthCounts, before: HealthCounts): VerdictWord {
  if (release.instances < instancesCountMin || before.instances < instancesCountMin)
    return "INSUFFICIENT";
  if (isMore(release.failed, release.instances, before.failed, before.instances)) return "BAD";
  const unwell = (counts: HealthCounts): number => counts.degraded + counts.failed;
  return isMore(unwell(release), release.instances, unwell(before), before.instances)
    ? "DEGRADED"
    : "OK";
}

function isMore(hits: number, of: number, hitsBefore: number, ofBefore: number): boolean {
  const difference = hits / of - hitsBefore / ofBefore;
  if (difference <= shareIgnored) return false;
  const pooled = (hits + hitsBefore) / (of + ofBefore);
  const deviation = Math.sqrt(pooled * (1 - pooled) * (1 / of + 1 / ofBefore));
  return difference > zBad * deviation;
}

/** What a parent makes of its children's verdicts on one item. Those that can not tell are left out. */
export function joinVerdicts(all: readonly VerdictWord[]): VerdictWord {
  const conclusive = all.filter((verdict) => verdict !== "INSUFFICIENT");
  if (conclusive.length === 0) return "INSUFFICIENT";
  if (conclusive.length === 1) return conclusive[0] ?? "INSUFFICIENT";
  const bad = conclusive.filter((verdict) => verdict === "BAD").length;
  if (bad >= Math.max(2, conclusive.length * 0.05)) return "BAD";
  return bad > 0 || conclusive.includes("DEGRADED") ? "DEGRADED" : "OK";
}
