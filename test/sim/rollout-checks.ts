import { fromBinary } from "@bufbuild/protobuf";
import { FlagSchema } from "../../gen/headwater/v1/flag_pb.ts";
import {
  type Rollout,
  type RolloutDecision,
  RolloutDecisionSchema,
  RolloutSchema,
} from "../../gen/headwater/v1/rollouts_pb.ts";
import type { Document } from "../../gen/headwater/v1/telemetry_pb.ts";
import type { Write } from "../../relay/effect.ts";
import { isReplayed } from "../../relay/rollout/decision.ts";
import type { Hold } from "./checks.ts";
import type { Link } from "./link.ts";
import type { SimulatedNode } from "./simulated-node.ts";
import type { TrialChecks } from "./trial-checks.ts";
import type { World } from "./world.ts";

/** A step of a rollout as it was last made durable, and since when it is. */
interface Step {
  readonly step: number;
  readonly startedMs: bigint;
  readonly sinceMs: number;
}

/** Looks at what rollouts decide, against what their node was really told. */
export class RolloutChecks {
  readonly #world: World;
  readonly #hold: Hold;
  readonly #trials: TrialChecks;
  /** What was taken before a jump may bear a time after it. */
  readonly #areClocksRight: () => boolean;
  /** When each site's last health document was taken, by node. */
  readonly #heard = new Map<string, Map<string, number>>();
  /** By node and flag. */
  readonly #steps = new Map<string, Step>();

  constructor(of: {
    world: World;
    hold: Hold;
    trials: TrialChecks;
    areClocksRight: () => boolean;
  }) {
    this.#world = of.world;
    this.#hold = of.hold;
    this.#trials = of.trials;
    this.#areClocksRight = of.areClocksRight;
  }

  documentAccepted(link: Link, { kind }: Document): void {
    if (kind !== "HEALTH") return;
    const heard = this.#heard.get(link.parent) ?? new Map<string, number>();
    const { site } = this.#world.get(link.child).settings;
    this.#heard.set(link.parent, heard.set(site, this.#world.nowMs));
  }

  persisted(node: SimulatedNode, writes: readonly Write[]): void {
    const values = (bucket: string): Uint8Array[] =>
      writes.flatMap((write) => (write.bucket === bucket && write.value) || []);
    const decisions = values("decision").map((value) => fromBinary(RolloutDecisionSchema, value));
    for (const decision of decisions) this.#decided(node, decision);
    for (const value of values("rollout"))
      this.#rolloutWritten(node, fromBinary(RolloutSchema, value), decisions);
  }

  #decided(node: SimulatedNode, decision: RolloutDecision): void {
    const { rollout, facts } = decision;
    this.#hold(
      "U8",
      node.name,
      isReplayed(decision) && facts?.nowMs === this.#clockOf(node),
      () => `${decision.decision} (${decision.reason}) does not follow from its facts`,
    );
    if (rollout === undefined || facts === undefined || decision.decision !== "PROMOTE") return;
    const { plan, step, flag } = rollout;
    const { sinceMs = 0, startedMs = 0n } = this.#steps.get(keyOf(node, rollout)) ?? {};
    const lastedMs = facts.nowMs - startedMs;
    this.#hold(
      "U8",
      node.name,
      lastedMs >= (plan?.steps[step]?.dwellMs ?? 0n),
      () => `step ${step} of ${flag} has lasted ${lastedMs} ms`,
    );
    const heard = [...(this.#heard.get(node.name) ?? [])].filter(([, atMs]) => atMs >= sinceMs);
    const sitesMin = Math.max(1, plan?.sitesMin ?? 0);
    this.#hold(
      "U8",
      node.name,
      heard.length >= sitesMin || !this.#areClocksRight(),
      () =>
        `${flag} goes on, and ${heard.length} of ${sitesMin} sites were heard since its step began`,
    );
    const isJudged = facts.flagVerdict === "OK";
    const mayGoOn = plan !== undefined && plan.goOnAfterMs > 0n && facts.flagVerdict !== "BAD";
    this.#hold(
      "U8",
      node.name,
      (isJudged || mayGoOn) && this.#trials.hasSaid(flag, facts.flagVerdict),
      () => `${flag} goes on, judged ${facts.flagVerdict}, which no site has said`,
    );
  }

  /** A step begins with a decision and with the flag's commit, all of them durable together. */
  #rolloutWritten(
    node: SimulatedNode,
    rollout: Rollout,
    decisions: readonly RolloutDecision[],
  ): void {
    const key = keyOf(node, rollout);
    const former = this.#steps.get(key);
    if (former?.step === rollout.step && former.startedMs === rollout.stepStartedMs) return;
    this.#steps.set(key, {
      step: rollout.step,
      startedMs: rollout.stepStartedMs,
      sinceMs: this.#world.nowMs,
    });
    // A node that becomes the writer begins the step anew.
    if (former === undefined || former.step === rollout.step) return;
    const isDecided = decisions.some(
      (one) => one.decision === "PROMOTE" && one.rollout?.flag === rollout.flag,
    );
    const said = this.#basisPointsOf(node, rollout.flag);
    const planned = rollout.plan?.steps[rollout.step]?.basisPoints;
    this.#hold(
      "U8",
      node.name,
      rollout.step === former.step + 1 && isDecided && said === planned,
      () => `${rollout.flag} is at step ${rollout.step} after ${former.step}, and says ${said}`,
    );
  }

  #basisPointsOf({ store }: SimulatedNode, flag: string): number | undefined {
    const key = store.keys("entry").find((one) => one.endsWith(` flag/${flag}`)) ?? "";
    const value = store.get("entry", key);
    return value && fromBinary(FlagSchema, value).basisPoints;
  }

  #clockOf(node: SimulatedNode): bigint {
    return BigInt(Math.floor(this.#world.momentOf(node).wallMs));
  }
}

function keyOf({ name }: SimulatedNode, { project, flag }: Rollout): string {
  return `${name} ${project}/${flag}`;
}
