import type { RolloutPlan } from "../../gen/headwater/v1/rollouts_pb.ts";
import { dayMs } from "../cadence.ts";
import { formatDuration } from "../duration.ts";
import { BASIS_POINTS_MAX } from "../flag/bucket.ts";
import { formatPercent } from "../flag/percent.ts";
import { childrenCountMax, rolloutStepsMax } from "../limits.ts";

/** What a chain of a project, a vendor and a site has. */
const hopsDefault = 2;

/** The longest that a step or a wait may be told to last. */
const durationMsMax = 365 * dayMs;

/**
 * How long documents need from the farthest site, in windows of health documents: half a window
 * until instances have reported, one until a trial is first looked at, half a window for clocks and
 * slots, and one at each hop.
 */
export function travelMs({ hops }: RolloutPlan, windowMs: number): number {
  return (2 + (hops || hopsDefault)) * windowMs;
}

/** Everything that a plan can get wrong, by field; undefined when it is good. */
export function planProblem(
  plan: RolloutPlan,
  of: { basisPoints: number; travelMs: number },
): string | undefined {
  if (plan.steps.length === 0 || plan.steps.length > rolloutStepsMax)
    return `plan.steps: from 1 to ${rolloutStepsMax} of them`;
  let before = of.basisPoints;
  for (const [at, step] of plan.steps.entries()) {
    const where = `plan.steps[${at}]`;
    if (step.basisPoints > BASIS_POINTS_MAX) return `${where}.basis_points: more than 100 %`;
    if (at === 0 ? step.basisPoints < before || step.basisPoints === 0 : step.basisPoints <= before)
      return `${where}.basis_points: ${formatPercent(step.basisPoints)} is no step up from ${formatPercent(before)}`;
    if (step.dwellMs > durationMsMax) return `${where}.dwell_ms: more than a year`;
    if (step.dwellMs < of.travelMs)
      return `${where}.dwell_ms: ${formatDuration(Number(step.dwellMs))}, and documents need ${formatDuration(of.travelMs)} to come up`;
    before = step.basisPoints;
  }
  return boundsProblem(plan);
}

function boundsProblem(plan: RolloutPlan): string | undefined {
  const { releaseBasisPoints, arrivalBasisPoints, sitesMin, hops, goOnAfterMs } = plan;
  if (releaseBasisPoints > BASIS_POINTS_MAX) return "plan.release_basis_points: more than 100 %";
  if (releaseBasisPoints > 0 && plan.release === "") return "plan.release: missing";
  if (arrivalBasisPoints > BASIS_POINTS_MAX) return "plan.arrival_basis_points: more than 100 %";
  if (sitesMin > childrenCountMax) return `plan.sites_min: more than ${childrenCountMax}`;
  if (hops > hopsMax) return `plan.hops: more than ${hopsMax}`;
  if (goOnAfterMs > durationMsMax) return "plan.go_on_after_ms: more than a year";
  return undefined;
}

/** Chains are short: a project, a distributor or two, a site. */
const hopsMax = 16;
