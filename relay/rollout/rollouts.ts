import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { FlagSchema } from "../../gen/headwater/v1/flag_pb.ts";
import {
  type Rollout,
  type RolloutDecision,
  RolloutDecisionSchema,
  RolloutSchema,
} from "../../gen/headwater/v1/rollouts_pb.ts";
import { digits, put, type Records } from "../durable.ts";
import type { Write } from "../effect.ts";
import { isName } from "../flag/name.ts";
import { entryKey } from "../ledger/entry.ts";
import type { EntryChanges, Ledger } from "../ledger/ledger.ts";
import { actorLengthMax, noteLengthMax, rolloutsCountMax } from "../limits.ts";
import { refused } from "../refusal.ts";
import { type Stamp, stampOf } from "../site/slices.ts";
import { planProblem } from "./plan.ts";

/** While it is one of these, the flag's percentage is the rollout's. */
const owning = ["RUNNING", "PAUSED"];

const states = [...owning, "HALTED", "DONE", "ABORTED"] as const;

/**
 * Ramps of flags, at most one for each: those whose ledger is written here, and those of another
 * node of the site, which this one goes on with should it be promoted.
 */
export class Rollouts {
  readonly #rollouts = new Map<string, Rollout>();
  /** What was decided last, so that the same is not written down every second. */
  readonly #decided = new Map<string, string>();

  constructor(records: Records) {
    for (const [key, bytes] of records.get("rollout") ?? [])
      this.#rollouts.set(key, fromBinary(RolloutSchema, bytes));
  }

  /** What the other nodes of the site are to know. */
  get shared(): { rollout: Rollout; stamp: Stamp }[] {
    return [...this.#rollouts].map(([key, rollout]) => {
      return { rollout, stamp: stampOf(key, `${rollout.term} ${rollout.revision}`) };
    });
  }

  /** What another node of the site says, as far as it is news; who writes a ledger knows better. */
  heard(rollouts: readonly Rollout[], isFollowed: (project: string) => boolean): Rollout[] {
    let room = rolloutsCountMax - this.#rollouts.size;
    return rollouts.filter((rollout) => {
      const { project, flag } = rollout;
      if (!isFollowed(project) || !isName(flag) || rolloutProblem(rollout)) return false;
      const held = this.of(project, flag);
      if (held === undefined) return room-- > 0;
      return held.term === rollout.term
        ? rollout.revision > held.revision
        : rollout.term > held.term;
    });
  }

  get running(): Rollout[] {
    return [...this.#rollouts.values()].filter(({ state }) => state === "RUNNING");
  }

  /** Of one project, or of all. */
  list(project: string): Rollout[] {
    const all = [...this.#rollouts.values()];
    return all.filter((rollout) => project === "" || rollout.project === project);
  }

  of(project: string, flag: string): Rollout | undefined {
    return this.#rollouts.get(keyOf({ project, flag }));
  }

  accept(rollout: Rollout): void {
    this.#rollouts.set(keyOf(rollout), rollout);
    if (rollout.state !== "RUNNING") this.#decided.delete(keyOf(rollout));
  }

  /** As `accept`; whatever was decided of it was decided elsewhere. */
  takeOver(rollout: Rollout): void {
    this.accept(rollout);
    this.#decided.delete(keyOf(rollout));
  }

  /** Whether it is news: waiting for the same is not. */
  isNews({ rollout, decision, reason }: RolloutDecision): boolean {
    return rollout !== undefined && this.#decided.get(keyOf(rollout)) !== wordsOf(decision, reason);
  }

  acceptDecision({ rollout, decision, reason }: RolloutDecision): void {
    if (rollout !== undefined) this.#decided.set(keyOf(rollout), wordsOf(decision, reason));
  }

  /** Why an operator may not commit this: a rollout owns a percentage. */
  ownershipProblem(
    ledger: Ledger,
    { entries, tombstones }: EntryChanges,
  ): ReturnType<typeof refused> | undefined {
    for (const rollout of this.list(ledger.name.project)) {
      if (!owning.includes(rollout.state)) continue;
      const key = entryKey("flag", rollout.flag);
      const held = ledger.entries.get(key)?.value;
      const put = entries.find((entry) => entry.key === key)?.value;
      const isChanged = put !== undefined && sharesOf(put) !== (held && sharesOf(held));
      if (!isChanged && !tombstones.includes(key)) continue;
      return refused(
        "conflict",
        `entries: a rollout owns the percentage of ${rollout.flag}`,
        `\`headwater rollout abort ${rollout.project}/${rollout.flag}\` ends it; a kill is always taken.`,
      );
    }
    return undefined;
  }
}

/** Everything that another node can get wrong about a rollout. */
function rolloutProblem({ plan, state, step, actor, reason }: Rollout): boolean {
  if (plan === undefined || step >= plan.steps.length) return true;
  if (!(states as readonly string[]).includes(state)) return true;
  if (actor.length > actorLengthMax || reason.length > noteLengthMax) return true;
  return planProblem(plan, { basisPoints: 0, travelMs: 0 }) !== undefined;
}

export function rolloutWrite(rollout: Rollout): Write {
  return put("rollout", keyOf(rollout), toBinary(RolloutSchema, rollout));
}

export function decisionWrite(decision: RolloutDecision, order: number): Write {
  const { project = "", flag = "" } = decision.rollout ?? {};
  const at = digits(Number(decision.facts?.nowMs ?? 0n), 15);
  const key = `${project}/${at}-${digits(order, 4)}-${flag}`;
  return put("decision", key, toBinary(RolloutDecisionSchema, decision));
}

function keyOf({ project, flag }: { project: string; flag: string }): string {
  return `${project}/${flag}`;
}

function wordsOf(decision: string, reason: string): string {
  return `${decision} ${reason}`;
}

/** The percentages of a flag, by version or not, as a text to compare. */
function sharesOf(value: Uint8Array): string {
  try {
    const { basisPoints, rollout } = fromBinary(FlagSchema, value);
    const steps = rollout.map((step) => [step.versions, step.basisPoints]);
    return JSON.stringify([basisPoints, steps]);
  } catch {
    // What can not be read may be anything.
    return "";
  }
}
