import type {
  Rollout,
  RolloutDecision,
  RolloutFacts,
  RolloutPlan,
} from "../../gen/headwater/v1/rollouts_pb.ts";
import { clockSkewMsMax } from "../cadence.ts";
import { formatDuration } from "../duration.ts";
import { formatPercent } from "../flag/percent.ts";
import { reportsText, sitesText } from "./rollout-windows.ts";

type DecisionWord = "WAIT" | "PROMOTE" | "DONE" | "HALT";

export interface Decision {
  readonly decision: DecisionWord;
  /** The same as long as the cause is. */
  readonly reason: string;
}

const wait = (reason: string): Decision => ({ decision: "WAIT", reason });
const halt = (reason: string): Decision => ({ decision: "HALT", reason });

/**
 * What a running rollout is to do now: a function of nothing but what is written down with it, so
 * that every decision can be taken again. It halts at any time, and goes on only when everything
 * that it asks for is known.
 */
export function decide(rollout: Rollout, facts: RolloutFacts): Decision {
  return interruption(rollout, facts) ?? patience(rollout, facts) ?? progress(rollout, facts);
}

/** Whether a decision that was written down is what its basis leads to. */
export function isReplayed({ rollout, facts, decision, reason }: RolloutDecision): boolean {
  if (rollout === undefined || facts === undefined) return false;
  const again = decide(rollout, facts);
  return again.decision === decision && again.reason === reason;
}

/** What ends it whatever the time. */
function interruption(rollout: Rollout, facts: RolloutFacts): Decision | undefined {
  const { plan, badBefore } = rollout;
  const step = plan?.steps[rollout.step];
  if (plan === undefined || step === undefined) return halt("it has no such step");
  if (facts.killed) return halt("somebody has killed the flag");
  if (facts.basisPoints !== step.basisPoints)
    return halt(`somebody has set it to ${formatPercent(facts.basisPoints)}`);
  const bad = badSubject(plan, facts);
  // What was bad before it began counts once documents had the time to say otherwise.
  const isOld = badBefore && facts.nowMs - rollout.startedMs < facts.travelMs;
  if (bad === undefined) return undefined;
  if (isOld && isToCome(rollout, facts)) return waitsForResume;
  return isOld ? wait(`the verdict on ${bad} is from before`) : halt(`${bad} is bad`);
}

/**
 * Whether a step began while the clock was ahead, or the clock is behind now. Which of the two can not be
 * told from here: to begin anew by itself would let a step that has just begun be over as soon as a clock
 * that is behind is set right.
 */
function isToCome({ stepStartedMs }: Rollout, { nowMs }: RolloutFacts): boolean {
  return nowMs - stepStartedMs < -clockSkewMsMax;
}

const waitsForResume = wait(
  "the step began at a time to come: pause it and resume it, and it begins anew",
);

/** The release or the flag; undefined when neither is bad. */
function badSubject({ release }: RolloutPlan, facts: RolloutFacts): string | undefined {
  if (facts.flagVerdict === "BAD") return "the flag";
  return release !== "" && facts.releaseVerdict === "BAD" ? `release ${release}` : undefined;
}

/** What it still waits for. */
function patience(rollout: Rollout, facts: RolloutFacts): Decision | undefined {
  const { plan } = rollout;
  const step = plan?.steps[rollout.step];
  if (plan === undefined || step === undefined) return undefined;
  if (isToCome(rollout, facts)) return waitsForResume;
  const elapsedMs = facts.nowMs - rollout.stepStartedMs;
  const dwellMs = step.dwellMs > facts.travelMs ? step.dwellMs : facts.travelMs;
  if (elapsedMs < dwellMs) return wait(dwellText(step.dwellMs, facts));
  const sitesMin = Math.max(1, plan.sitesMin);
  if (facts.reportersCount < sitesMin)
    return wait(`${facts.reportersCount} of ${sitesMin} sites have reported`);
  if (facts.staleCount > 0) return wait(staleText(facts));
  if (facts.arrivalShare < plan.arrivalBasisPoints)
    return wait(`it has arrived at ${formatPercent(facts.arrivalShare)} of sites`);
  const { releaseShare } = facts;
  if (plan.releaseBasisPoints > 0 && releaseShare === undefined)
    return wait(`it is not known yet who runs ${plan.release} or newer`);
  if ((releaseShare ?? 0) < plan.releaseBasisPoints)
    return wait(`${formatPercent(releaseShare ?? 0)} runs ${plan.release} or newer`);
  return verdictPatience(plan, { facts, elapsedMs });
}

/** How long a step lasts, and who makes it so long. */
function dwellText(dwellMs: bigint, { travelMs, slow, slowWindowMs }: RolloutFacts): string {
  if (dwellMs >= travelMs) return `the step lasts ${formatDuration(Number(dwellMs))}`;
  const lasts = `the step lasts ${formatDuration(Number(travelMs))}`;
  const isSaid = slow !== undefined && slow.count > 0;
  return isSaid ? `${lasts}, as ${reportsText(slow, Number(slowWindowMs))}` : lasts;
}

function staleText({ staleCount, stale }: RolloutFacts): string {
  const sites = sitesText(stale);
  const text = `${staleCount} sites have not reported since the step began`;
  return sites === "" ? text : `${text}: ${sites}`;
}

function verdictPatience(
  plan: RolloutPlan,
  of: { facts: RolloutFacts; elapsedMs: bigint },
): Decision | undefined {
  const { flagVerdict, releaseVerdict } = of.facts;
  if (flagVerdict === "DEGRADED") return wait("the flag is degraded");
  if (plan.release !== "" && releaseVerdict === "DEGRADED")
    return wait(`release ${plan.release} is degraded`);
  if (flagVerdict === "OK") return undefined;
  const mayGoOn = plan.goOnAfterMs > 0n && of.elapsedMs >= plan.goOnAfterMs;
  return mayGoOn ? undefined : wait("there are too few instances to judge the flag");
}

function progress({ plan, step }: Rollout, { passed }: RolloutFacts): Decision {
  const next = plan?.steps[step + 1];
  if (next === undefined) return { decision: "DONE", reason: "the last step has held" };
  const sites = sitesText(passed);
  const without = sites === "" ? "" : `, without ${sites}: too seldom heard to be waited for`;
  return { decision: "PROMOTE", reason: `to ${formatPercent(next.basisPoints)}${without}` };
}
