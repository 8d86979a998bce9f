import type { Random } from "../../../../relay/random.ts";
import {
  type ArmCounts,
  judge,
  lookWindows,
  type VerdictWord,
} from "../../../../relay/telemetry/trial/verdict.ts";

/** How instances of a release fail: some at once, the others as time goes. */
export interface Failing {
  /** The share that fails with its first report. */
  readonly atOnce: number;
  /** The chance of each of the others in each window. */
  readonly eachWindow: number;
}

/** A site on which instances go from one release to the next, each by itself or all in a few waves. */
export interface ModelSite {
  readonly instances: number;
  /** Mean time to the upgrade, in windows. */
  readonly upgradeWindows: number;
  /** Upgrades come in so many quotas, instead of each by itself. */
  readonly waves?: number;
  readonly before: Failing;
  readonly after: Failing;
}

/** One that upgrades, and fails as one release or the other; times in windows. */
export interface ModelInstance {
  readonly upgradedAt: number;
  readonly failsBefore: number;
  readonly failsAfter: number;
}

export function modelInstances(site: ModelSite, random: Random): ModelInstance[] {
  return Array.from({ length: site.instances }, () => {
    const upgradedAt = upgradeAt(site, random);
    const failsBefore = failureAt(site.before, random);
    const failsAfter = upgradedAt + failureAt(site.after, random);
    return { upgradedAt, failsBefore, failsAfter };
  });
}

/** What was counted of the release and of the one before it, so many windows after the beginning. */
export function modelArms(instances: readonly ModelInstance[], at: number) {
  const subject = { instances: 0, unwell: 0, failed: 0, halfIntervals: 0 };
  const control = { instances: 0, unwell: 0, failed: 0, halfIntervals: 0 };
  for (const { upgradedAt, failsBefore, failsAfter } of instances) {
    add(control, { from: 0, to: Math.min(at, upgradedAt), failsAt: failsBefore });
    if (upgradedAt < at) add(subject, { from: upgradedAt, to: at, failsAt: failsAfter });
  }
  return { subject, control };
}

/** What the looks of one trial come to, in order: BAD stays. */
export function modelTrial(site: ModelSite, random: Random): VerdictWord[] {
  const instances = modelInstances(site, random);
  let told: VerdictWord = "INSUFFICIENT";
  return lookWindows.map((at, look) => {
    const { subject, control } = modelArms(instances, at);
    const verdict = judge(subject, control, look);
    if (verdict !== "INSUFFICIENT" && told !== "BAD") told = verdict;
    return told;
  });
}

function upgradeAt({ upgradeWindows, waves }: ModelSite, random: Random): number {
  if (waves === undefined) return -Math.log(1 - random.fraction()) * upgradeWindows;
  return (random.below(waves) * 2 * upgradeWindows) / waves;
}

function failureAt({ atOnce, eachWindow }: Failing, random: Random): number {
  if (random.fraction() < atOnce) return 0;
  return eachWindow === 0
    ? Number.POSITIVE_INFINITY
    : -Math.log(1 - random.fraction()) / eachWindow;
}

/** Heard at the beginning, then twice a window, until it fails. */
function add(
  arm: { -readonly [K in keyof ArmCounts]: number },
  of: { from: number; to: number; failsAt: number },
): void {
  const isFailed = of.failsAt <= of.to;
  arm.instances++;
  arm.halfIntervals += 1 + 2 * Math.floor(2 * (Math.min(of.to, of.failsAt) - of.from));
  if (!isFailed) return;
  arm.failed++;
  arm.unwell++;
}
