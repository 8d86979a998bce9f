import { create } from "@bufbuild/protobuf";
import type { Flag } from "../../gen/headwater/v1/flag_pb.ts";
import { type Rollout, RolloutSchema } from "../../gen/headwater/v1/rollouts_pb.ts";
import type { EventOf } from "../event.ts";
import type { Project } from "../layers/project.ts";
import type { Operation } from "../operations/operation.ts";
import type { NodeParts } from "../parts.ts";
import { quoted } from "../quoted.ts";
import { type Outcome, refused, telemetryOff } from "../refusal.ts";
import { planProblem, travelMs } from "./plan.ts";
import { factsOf, windowsOf } from "./rollout-facts.ts";
import { flagHeld, isWritten, keep, stepTo } from "./rollout-step.ts";
import { type RolloutWindows, reportsText, someSites } from "./rollout-windows.ts";

type Refused = ReturnType<typeof refused>;

/** Sets the first percentage of a plan; the others follow by themselves. */
export function startRollout(
  parts: NodeParts,
  event: EventOf<"start-rollout">,
): Outcome<Operation> {
  const { project: name, flag: flagName, plan, at, by = { actor: "" } } = event;
  if (parts.telemetry === undefined) return telemetryOff();
  const held = flagHeld(parts, name, flagName);
  if (!held.ok) return held;
  const { project, flag } = held.value;
  const problem = startProblem(parts, { project, flag, plan, at });
  if (problem !== undefined) return problem;
  const planned = create(RolloutSchema, { project: name, flag: flagName, plan });
  const facts = factsOf(parts, { rollout: planned, at });
  const nowMs = BigInt(Math.floor(at.wallMs));
  const rollout = create(RolloutSchema, {
    project: name,
    flag: flagName,
    plan,
    state: "RUNNING",
    stepStartedMs: nowMs,
    startedMs: nowMs,
    actor: by.actor,
    badBefore: facts.flagVerdict === "BAD" || facts.releaseVerdict === "BAD",
  });
  return stepTo(parts, { rollout, step: 0, at, by });
}

function startProblem(
  parts: NodeParts,
  of: { project: Project; flag: Flag } & Pick<EventOf<"start-rollout">, "plan" | "at">,
): Refused | undefined {
  const { project, flag, plan, at } = of;
  if (!isWritten(parts, project))
    return notWritten(project.name, "Start it at the node that has the project's key: its root.");
  const running = parts.rollouts.of(project.name, flag.name);
  if (running !== undefined && ["RUNNING", "PAUSED"].includes(running.state))
    return refused(
      "conflict",
      `flag: a rollout of ${flag.name} is ${running.state.toLowerCase()} already`,
      `\`headwater rollout abort ${project.name}/${flag.name}\` ends it.`,
    );
  if (flag.rollout.length > 0)
    return refused("conflict", `flag: ${flag.name} has percentages by version`);
  if (flag.kill !== undefined && ["", "*"].includes(flag.kill.versions))
    return refused(
      "conflict",
      `flag: ${flag.name} is killed`,
      `\`headwater flag revive ${project.name}/${flag.name}\` lifts the kill.`,
    );
  if (plan.release !== "" && !project.own.releases.has(plan.release))
    return refused("unknown", `plan.release: ${quoted(plan.release)} is no release`);
  const windows = windowsOf(parts, project, at);
  const { basisPoints } = flag;
  const needed = travelMs(plan, windows.windowMs);
  const problem = planProblem(plan, { basisPoints, travelMs: needed });
  if (problem === undefined) return undefined;
  const ownNeeded = travelMs(plan, parts.settings.healthWindowMs);
  const isTheirs = planProblem(plan, { basisPoints, travelMs: ownNeeded }) === undefined;
  return refused("invalid", problem, isTheirs ? slowHint(windows) : undefined);
}

/** A plan that would be good but for children who report so seldom. */
function slowHint({ slow, slowMs }: RolloutWindows): string {
  const [site] = slow;
  const reports = reportsText(someSites(slow), slowMs);
  return `${reports}: give each step as long, or revoke it: \`headwater child revoke ${site?.child}\`.`;
}

/** What an operator says to a rollout that there is: pause, go on, end. */
export function changeRollout(
  parts: NodeParts,
  event: EventOf<"change-rollout">,
): Outcome<Operation> {
  const { project, flag, action, at } = event;
  const rollout = parts.rollouts.of(project, flag);
  const held = parts.holdings.projects.get(project);
  if (rollout !== undefined && held !== undefined && !isWritten(parts, held))
    return notWritten(project, "Say it at the node that has the project's key.");
  if (rollout === undefined)
    return refused(
      "unknown",
      `flag: no rollout of ${project}/${flag}`,
      "`headwater rollout start` makes one.",
    );
  const { from, to } = actions[action];
  if (!from.some((state) => state === rollout.state))
    return refused(
      "conflict",
      `action: the rollout is ${rollout.state.toLowerCase()}`,
      goingOn(rollout),
    );
  const nowMs = BigInt(Math.floor(at.wallMs));
  const facts = factsOf(parts, { rollout, at });
  const isResumed = action === "RESUME";
  if (isResumed && facts.killed)
    return refused(
      "conflict",
      "flag: it is killed",
      `\`headwater flag revive ${project}/${flag}\` lifts the kill.`,
    );
  return keep(parts, {
    ...rollout,
    state: to,
    reason: `${action.toLowerCase()} by ${event.by?.actor ?? "an operator"}`,
    ...(isResumed && {
      stepStartedMs: nowMs,
      startedMs: nowMs,
      badBefore: facts.flagVerdict === "BAD" || facts.releaseVerdict === "BAD",
    }),
  });
}

/** The state that an action leads to, and those that it may come from. */
const actions = {
  PAUSE: { from: ["RUNNING"], to: "PAUSED" },
  RESUME: { from: ["PAUSED", "HALTED"], to: "RUNNING" },
  ABORT: { from: ["RUNNING", "PAUSED", "HALTED"], to: "ABORTED" },
} as const satisfies Record<string, { from: readonly string[]; to: string }>;

/** What may be done to a rollout in its state. */
function goingOn({ project, flag, state }: Rollout): string {
  const path = `${project}/${flag}`;
  if (state === "RUNNING") return `\`headwater rollout status ${path}\` shows where it is.`;
  return state === "PAUSED" || state === "HALTED"
    ? `\`headwater rollout resume ${path}\` lets it go on; \`headwater rollout abort ${path}\` ends it.`
    : `It is over: \`headwater rollout start ${path}\` begins another.`;
}

function notWritten(project: string, hint: string): Refused {
  return refused("forbidden", `project: ${project} is not written at this node`, hint);
}
