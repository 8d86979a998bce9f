import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type Flag, FlagSchema, KillSchema } from "../gen/headwater/v1/flag_pb.ts";
import { PositionSchema } from "../gen/headwater/v1/ledger_pb.ts";
import { CommitRequestSchema } from "../gen/headwater/v1/ledgers_pb.ts";
import {
  type Rollout,
  type RolloutDecision,
  RolloutDecisionSchema,
  type RolloutFacts,
  RolloutFactsSchema,
  RolloutSchema,
} from "../gen/headwater/v1/rollouts_pb.ts";
import { prepareChange } from "./commit.ts";
import { type Effect, logged, type Write } from "./effect.ts";
import type { Moment, Origin } from "./event.ts";
import type { Project } from "./layers/project.ts";
import { entryKey } from "./ledger/entry.ts";
import { comparePositions } from "./ledger/position.ts";
import type { Operation, OperationEvent } from "./operation.ts";
import type { NodeParts } from "./parts.ts";
import { done, type Outcome, refused, telemetryOff } from "./refusal.ts";
import { decide } from "./rollout/decision.ts";
import { shareAtLeast, verdictOn } from "./rollout/gate.ts";
import { planProblem, travelMs } from "./rollout/plan.ts";
import { decisionWrite, rolloutWrite } from "./rollout/rollouts.ts";
import { tellPeers } from "./site/tell-peers.ts";
import { whole } from "./telemetry/weights.ts";

/** What ticks of all rollouts come to. */
interface Ramp {
  readonly writes: readonly Write[];
  accept(): readonly Effect[];
}

type Refused = ReturnType<typeof refused>;

/** Sets the first percentage of a plan; the others follow by themselves. */
export function startRollout(
  parts: NodeParts,
  event: OperationEvent<"start-rollout">,
): Outcome<Operation> {
  const { project: name, flag: flagName, plan, at, by = { actor: "" } } = event;
  if (parts.telemetry === undefined) return telemetryOff();
  const held = flagHeld(parts, name, flagName);
  if (!held.ok) return held;
  const { project, flag } = held.value;
  const problem = startProblem(parts, { project, flag, plan, at });
  if (problem !== undefined) return problem;
  const facts = factsOf(parts, create(RolloutSchema, { project: name, flag: flagName, plan }), at);
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

export function changeRollout(
  parts: NodeParts,
  event: OperationEvent<"change-rollout">,
): Outcome<Operation> {
  const { project, flag, action, at } = event;
  const rollout = parts.rollouts.of(project, flag);
  const held = parts.holdings.projects.get(project);
  if (rollout !== undefined && held !== undefined && !isWritten(parts, held))
    return notWritten(project, "Say it at the node that has the project's key.");
  if (rollout === undefined)
    return refused("unknown", `flag: no rollout of ${project}/${flag}`, "rollout start makes one.");
  const { from, to } = actions[action];
  if (!from.some((state) => state === rollout.state))
    return refused("conflict", `action: the rollout is ${rollout.state.toLowerCase()}`);
  const nowMs = BigInt(Math.floor(at.wallMs));
  const facts = factsOf(parts, rollout, at);
  const isResumed = action === "RESUME";
  if (isResumed && facts.killed)
    return refused("conflict", "flag: it is killed", `headwater flag revive ${project}/${flag}`);
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

/** Decides for each rollout that runs, and does what was decided. */
export function ramp(parts: NodeParts, at: Moment): Ramp {
  const turns: Ramp[] = [];
  const changed = new Set<string>();
  for (const [order, rollout] of parts.rollouts.running.entries()) {
    const project = parts.holdings.projects.get(rollout.project);
    // Another node of the site writes it: this one only keeps what it says.
    if (project !== undefined && !isWritten(parts, project)) continue;
    // Of one ledger only one change can be prepared at a time; the others follow at the next tick.
    if (changed.has(rollout.project)) continue;
    const one = turn(parts, { rollout, order, at });
    if (one.writes.some(({ bucket }) => bucket === "head")) changed.add(rollout.project);
    turns.push(one);
  }
  return {
    writes: turns.flatMap(({ writes }) => writes),
    accept: () => turns.flatMap((one) => one.accept()),
  };
}

function turn(parts: NodeParts, of: { rollout: Rollout; order: number; at: Moment }): Ramp {
  const { rollout, order, at } = of;
  const facts = factsOf(parts, rollout, at);
  const decision = create(RolloutDecisionSchema, { rollout, facts, ...decide(rollout, facts) });
  if (!parts.rollouts.isNews(decision)) return { writes: [], accept: () => [] };
  const followed = follow(parts, { rollout, decision, at });
  // What can not be done now is decided again at the next tick, from what is there then.
  if (!followed.ok) return { writes: [], accept: () => [] };
  return {
    writes: [...followed.value.writes, decisionWrite(decision, order)],
    accept: () => {
      parts.rollouts.acceptDecision(decision);
      const { project, flag } = rollout;
      const message = `${project}/${flag}: ${decision.decision}, ${decision.reason}`;
      const level = decision.decision === "HALT" ? "warn" : "info";
      return [logged(level, "rollout-decided", message), ...followed.value.accept().effects];
    },
  };
}

function follow(
  parts: NodeParts,
  of: { rollout: Rollout; decision: RolloutDecision; at: Moment },
): Outcome<Operation> {
  const { rollout, decision, at } = of;
  const by = { actor: `rollout of ${rollout.flag}` };
  const { reason } = decision;
  switch (decision.decision) {
    case "PROMOTE":
      return stepTo(parts, { rollout, step: rollout.step + 1, at, by });
    case "HALT": {
      const isBad = reason.endsWith(" is bad");
      const halted = create(RolloutSchema, { ...rollout, state: "HALTED", reason });
      return isBad && rollout.plan?.killOnBad === true
        ? changeFlag(parts, { rollout: halted, change: killed, at, by })
        : keep(parts, halted);
    }
    case "DONE":
      return keep(parts, create(RolloutSchema, { ...rollout, state: "DONE", reason }));
    default:
      return keep(parts, create(RolloutSchema, { ...rollout, reason }));
  }
}

function keep(parts: NodeParts, rollout: Rollout): Outcome<Operation> {
  const kept = revised(parts, rollout);
  return done({
    writes: [rolloutWrite(kept)],
    accept: () => {
      parts.rollouts.accept(kept);
      return { value: { rollout: kept }, effects: tellPeers(parts, { rollouts: [kept] }) };
    },
  });
}

/** A rollout as it is from now on: later than all that was said of it, in this term or before. */
function revised(parts: NodeParts, rollout: Rollout): Rollout {
  const { project, flag } = rollout;
  const { revision = 0n } = parts.rollouts.of(project, flag) ?? {};
  const term = parts.holdings.projects.get(project)?.ownLedger.position?.term ?? 0;
  return create(RolloutSchema, { ...rollout, revision: revision + 1n, term });
}

/**
 * A node that writes a project from now on goes on with its rollouts where the flags are. What runs
 * begins its step anew, so that whoever reports has to report since, here.
 */
export function takeOverRollouts(
  parts: NodeParts,
  of: { project: string; term: number; at: Moment },
): { writes: Write[]; accept: () => Effect[] } {
  const rollouts = parts.rollouts.list(of.project).map((rollout) => {
    const held = parts.holdings.projects.get(of.project)?.own.flags.get(rollout.flag);
    const basisPoints = typeof held === "object" ? held.flag.basisPoints : undefined;
    const reached = rollout.plan?.steps.findIndex((step) => step.basisPoints === basisPoints) ?? -1;
    const isUnderWay = rollout.state === "RUNNING" || rollout.state === "PAUSED";
    return create(RolloutSchema, {
      ...rollout,
      ...(isUnderWay && reached >= 0 && { step: reached }),
      ...(rollout.state === "RUNNING" && {
        stepStartedMs: BigInt(Math.floor(of.at.wallMs)),
        reason: "this node writes the project from now on",
      }),
      revision: rollout.revision + 1n,
      term: of.term,
    });
  });
  return {
    writes: rollouts.map(rolloutWrite),
    accept: () => {
      for (const rollout of rollouts) parts.rollouts.takeOver(rollout);
      return rollouts.length === 0 ? [] : tellPeers(parts, { rollouts });
    },
  };
}

function killed(flag: Flag): Flag {
  return create(FlagSchema, { ...flag, kill: create(KillSchema, { versions: "*" }) });
}

/** Sets the percentage of a step; its time begins with the commit. */
function stepTo(
  parts: NodeParts,
  of: { rollout: Rollout; step: number; at: Moment; by: Origin },
): Outcome<Operation> {
  const { rollout, step, at, by } = of;
  const basisPoints = rollout.plan?.steps[step]?.basisPoints ?? 0;
  const stepStartedMs = BigInt(Math.floor(at.wallMs));
  const reason = "a step has begun";
  const next = create(RolloutSchema, { ...rollout, step, stepStartedMs, reason });
  const change = (flag: Flag): Flag => create(FlagSchema, { ...flag, basisPoints });
  return changeFlag(parts, { rollout: next, change, at, by });
}

/** A change of the flag, and the rollout as it is with it: durable together or not at all. */
function changeFlag(
  parts: NodeParts,
  of: { rollout: Rollout; change: (flag: Flag) => Flag; at: Moment; by: Origin },
): Outcome<Operation> {
  const { rollout, at, by } = of;
  const held = flagHeld(parts, rollout.project, rollout.flag);
  if (!held.ok) return held;
  const { project, flag } = held.value;
  const value = toBinary(FlagSchema, of.change(flag));
  const request = create(CommitRequestSchema, {
    ledger: { ...project.ownLedger.name },
    entries: [{ key: entryKey("flag", rollout.flag), value }],
  });
  const change = prepareChange(parts, { request, at, by });
  if (!change.ok) return change;
  // A commit's position is known before it is made: it is the next one of its term.
  const { term = 0, seq = 0 } = project.ownLedger.position ?? {};
  const isChanged = change.value.writes.length > 0;
  const position = create(PositionSchema, { term, seq: seq + (isChanged ? 1 : 0) });
  const kept = revised(parts, create(RolloutSchema, { ...rollout, position }));
  return done({
    writes: [...change.value.writes, rolloutWrite(kept)],
    accept: () => {
      parts.rollouts.accept(kept);
      const { effects } = change.value.accept();
      return {
        value: { rollout: kept },
        effects: [...effects, ...tellPeers(parts, { rollouts: [kept] })],
      };
    },
  });
}

function flagHeld(
  parts: NodeParts,
  projectName: string,
  name: string,
): Outcome<{ project: Project; flag: Flag }> {
  const project = parts.holdings.projects.get(projectName);
  const value = project?.ownLedger.entries.get(entryKey("flag", name))?.value;
  const held = project?.own.flags.get(name);
  if (project === undefined || value === undefined || held === undefined)
    return refused("unknown", `flag: ${projectName} has no ${JSON.stringify(name)} here`);
  if (held === "misunderstood")
    return refused("conflict", `flag: ${name} was written by a newer version`);
  return done({ project, flag: fromBinary(FlagSchema, value) });
}

function startProblem(
  parts: NodeParts,
  of: { project: Project; flag: Flag } & Pick<OperationEvent<"start-rollout">, "plan" | "at">,
): Refused | undefined {
  const { project, flag, plan, at } = of;
  if (!isWritten(parts, project))
    return notWritten(project.name, "Start it at the node that has the project's key: its root.");
  const running = parts.rollouts.of(project.name, flag.name);
  if (running !== undefined && ["RUNNING", "PAUSED"].includes(running.state))
    return refused(
      "conflict",
      `flag: a rollout of ${flag.name} is ${running.state.toLowerCase()} already`,
      `headwater rollout abort ${project.name}/${flag.name} ends it.`,
    );
  if (flag.rollout.length > 0)
    return refused("conflict", `flag: ${flag.name} has percentages by version`);
  if (flag.kill !== undefined && ["", "*"].includes(flag.kill.versions))
    return refused(
      "conflict",
      `flag: ${flag.name} is killed`,
      `headwater flag revive ${project.name}/${flag.name}`,
    );
  if (plan.release !== "" && !project.own.releases.has(plan.release))
    return refused("unknown", `plan.release: ${JSON.stringify(plan.release)} is no release`);
  const needed = travelMs(plan, windowOf(parts, project, at));
  const problem = planProblem(plan, { basisPoints: flag.basisPoints, travelMs: needed });
  return problem === undefined ? undefined : refused("invalid", problem);
}

function isWritten(parts: NodeParts, { ownLedger }: Project): boolean {
  return parts.holdings.writers.has(ownLedger.id);
}

function notWritten(project: string, hint: string): Refused {
  return refused("forbidden", `project: ${project} is not written at this node`, hint);
}

/** The longest window of health documents that is seen. */
function windowOf(parts: NodeParts, project: Project, at: Moment): number {
  const asked = { project: project.name, kind: "HEALTH", wallMs: at.wallMs, sinceMs: 0 } as const;
  const documents = parts.telemetry?.received.of(asked) ?? [];
  const windows = documents.map(({ document }) => document.windowMs ?? 0);
  return Math.max(parts.settings.healthWindowMs, ...windows);
}

/** What there is to decide on now. */
function factsOf(parts: NodeParts, rollout: Rollout, at: Moment): RolloutFacts {
  const { plan } = rollout;
  const project = parts.holdings.projects.get(rollout.project);
  const flag = project?.own.flags.get(rollout.flag);
  const nowMs = BigInt(Math.floor(at.wallMs));
  if (project === undefined || plan === undefined || flag === undefined || flag === "misunderstood")
    return create(RolloutFactsSchema, { nowMs });
  const { telemetry } = parts;
  const stands = {
    nowMs,
    basisPoints: flag.flag.basisPoints,
    killed: flag.flag.kill !== undefined && ["", "*"].includes(flag.flag.kill.versions),
  };
  if (telemetry === undefined) return create(RolloutFactsSchema, stands);
  const { health, weights, own } = telemetry.fleet(project, at.wallMs);
  const asked = { project: project.name, kind: "HEALTH", wallMs: at.wallMs } as const;
  const { received } = telemetry;
  const documents = received.of({ ...asked, sinceMs: 0 });
  const fresh = received.of({ ...asked, sinceMs: Number(rollout.stepStartedMs) });
  const position = rollout.position ?? { term: 0, seq: 0 };
  const arrived = documents.map(({ document }) => {
    const { term = 0, seq = 0, basisPoints = 0 } = document.health?.arrival ?? {};
    return comparePositions({ term, seq }, position) < 0 ? 0 : Math.min(whole, basisPoints);
  });
  if (own) arrived.push(whole);
  const releaseShare = plan.release === "" ? undefined : shareAtLeast(weights, plan.release);
  return create(RolloutFactsSchema, {
    ...stands,
    flagVerdict: verdictOn(health, { kind: "FLAG", name: rollout.flag }),
    releaseVerdict: verdictOn(health, { kind: "RELEASE", name: plan.release }),
    arrivalShare: Math.floor(
      arrived.reduce((sum, share) => sum + share, 0) / Math.max(1, arrived.length),
    ),
    reportersCount: arrived.length,
    staleCount: documents.length - fresh.length,
    travelMs: BigInt(travelMs(plan, windowOf(parts, project, at))),
    ...(releaseShare !== undefined && { releaseShare }),
  });
}
