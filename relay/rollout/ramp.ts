import { create } from "@bufbuild/protobuf";
import { type Flag, FlagSchema, KillSchema } from "../../gen/headwater/v1/flag_pb.ts";
import {
  type Rollout,
  type RolloutDecision,
  RolloutDecisionSchema,
  RolloutSchema,
} from "../../gen/headwater/v1/rollouts_pb.ts";
import { type Effect, logged, type Write } from "../effect.ts";
import type { Moment } from "../event.ts";
import type { Project } from "../layers/project.ts";
import type { Operation } from "../operations/operation.ts";
import type { NodeParts } from "../parts.ts";
import type { Outcome } from "../refusal.ts";
import { tellPeers } from "../site/tell-peers.ts";
import type { Consequence } from "../staged.ts";
import { decide } from "./decision.ts";
import { factsOf, type RolloutFleet, rolloutFleet } from "./rollout-facts.ts";
import { changeFlag, isWritten, keep, stepTo } from "./rollout-step.ts";
import { decisionWrite, rolloutWrite } from "./rollouts.ts";

/** Decides for each rollout that runs, and does what was decided. */
export function ramp(parts: NodeParts, at: Moment): Consequence {
  const turns: Consequence[] = [];
  const changed = new Set<string>();
  const fleets = new Map<string, RolloutFleet>();
  const { running } = parts.rollouts;
  for (const [order, rollout] of running.entries()) {
    const project = parts.holdings.projects.get(rollout.project);
    // Another node of the site writes it: this one only keeps what it says.
    if (project !== undefined && !isWritten(parts, project)) continue;
    // Of one ledger only one change can be prepared at a time; the others follow at the next tick.
    if (changed.has(rollout.project)) continue;
    const known = fleets.get(rollout.project) ?? fleetOf(parts, { project, running, at });
    if (known !== undefined) fleets.set(rollout.project, known);
    const one = turn(parts, { rollout, order, at, known });
    if (one.writes.some(({ bucket }) => bucket === "head")) changed.add(rollout.project);
    turns.push(one);
  }
  return {
    writes: turns.flatMap(({ writes }) => writes),
    accept: () => turns.flatMap((one) => one.accept()),
  };
}

function fleetOf(
  parts: NodeParts,
  of: { project: Project | undefined; running: readonly Rollout[]; at: Moment },
): RolloutFleet | undefined {
  const { project, running, at } = of;
  const { telemetry } = parts;
  if (telemetry === undefined || project === undefined) return undefined;
  const own = running.filter((rollout) => rollout.project === project.name);
  const flags = own.map(({ flag }) => flag);
  return rolloutFleet(parts, telemetry, { project, flags, at });
}

function turn(
  parts: NodeParts,
  of: { rollout: Rollout; order: number; at: Moment; known: RolloutFleet | undefined },
): Consequence {
  const { rollout, order, at } = of;
  const facts = factsOf(parts, of);
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

function killed(flag: Flag): Flag {
  return create(FlagSchema, { ...flag, kill: create(KillSchema, { versions: "*" }) });
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
