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
 * The chance that a release which is no worse than the one before is called worse, for each of the
 * two questions (more failed, more unwell) at each look: at most one in two hundred.
 */
const falseAlarmShareMax = 0.005;

/** A difference that would not make anybody act, as a share of instances. */
const shareIgnored = 0.005;

/**
 * A release against the one before it, by Fisher's exact test (R. A. Fisher, Statistical Methods for
 * Research Workers, 21.02): it keeps to its false alarms also where few instances or few failures
 * make the usual z-score call any single failure significant. BAD when more instances have failed,
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
  if (hits / of - hitsBefore / ofBefore <= shareIgnored) return false;
  const allHits = hits + hitsBefore;
  const all = of + ofBefore;
  // Of the chance that chance alone puts `hits` or more of all hits here, the first term is the
  // largest, and each next one follows from the one before.
  let term = Math.exp(
    lnChoose(allHits, hits) + lnChoose(all - allHits, of - hits) - lnChoose(all, of),
  );
  let chance = 0;
  for (let k = hits; term > 0 && chance <= falseAlarmShareMax; k++) {
    chance += term;
    if (term < 1e-9 * chance) break;
    term *= ((of - k) * (allHits - k)) / ((k + 1) * (all - of - allHits + k + 1));
  }
  return chance <= falseAlarmShareMax;
}

/** Natural logarithm of the count of ways to choose `k` of `n`. */
function lnChoose(n: number, k: number): number {
  return lnFactorial(n) - lnFactorial(k) - lnFactorial(n - k);
}

/** Stirling's series, NIST Digital Library of Mathematical Functions, 5.11.1; exact below 16. */
function lnFactorial(n: number): number {
  if (n < 16) {
    let product = 1;
    for (let factor = 2; factor <= n; factor++) product *= factor;
    return Math.log(product);
  }
  const series = 1 / (12 * n) - 1 / (360 * n ** 3) + 1 / (1260 * n ** 5);
  return n * Math.log(n) - n + Math.log(2 * Math.PI * n) / 2 + series;
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
