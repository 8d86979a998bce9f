import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type Flag, FlagSchema } from "../../gen/headwater/v1/flag_pb.ts";
import { PositionSchema } from "../../gen/headwater/v1/ledger_pb.ts";
import { CommitRequestSchema } from "../../gen/headwater/v1/ledgers_pb.ts";
import { type Rollout, RolloutSchema } from "../../gen/headwater/v1/rollouts_pb.ts";
import type { Moment, Origin } from "../event.ts";
import type { Project } from "../layers/project.ts";
import { entryKey } from "../ledger/entry.ts";
import { prepareChange } from "../operations/commit.ts";
import type { Operation } from "../operations/operation.ts";
import type { NodeParts } from "../parts.ts";
import { quoted } from "../quoted.ts";
import { done, type Outcome, refused } from "../refusal.ts";
import { tellPeers } from "../site/tell-peers.ts";
import { rolloutWrite } from "./rollouts.ts";

/** Sets the percentage of a step; its time begins with the commit. */
export function stepTo(
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
export function changeFlag(
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

/** The rollout alone, as it is from now on; its flag stays as it is. */
export function keep(parts: NodeParts, rollout: Rollout): Outcome<Operation> {
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

export function flagHeld(
  parts: NodeParts,
  projectName: string,
  name: string,
): Outcome<{ project: Project; flag: Flag }> {
  const project = parts.holdings.projects.get(projectName);
  const value = project?.ownLedger.entries.get(entryKey("flag", name))?.value;
  const held = project?.own.flags.get(name);
  if (project === undefined || value === undefined || held === undefined)
    return refused("unknown", `flag: ${projectName} has no ${quoted(name)} here`);
  if (held === "misunderstood")
    return refused("conflict", `flag: ${name} was written by a newer version`);
  return done({ project, flag: fromBinary(FlagSchema, value) });
}

export function isWritten(parts: NodeParts, { ownLedger }: Project): boolean {
  return parts.holdings.writers.has(ownLedger.id);
}
