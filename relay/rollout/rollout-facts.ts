import { create } from "@bufbuild/protobuf";
import {
  type Rollout,
  type RolloutFacts,
  RolloutFactsSchema,
} from "../../gen/headwater/v1/rollouts_pb.ts";
import type { Health, Weights } from "../../gen/headwater/v1/telemetry_pb.ts";
import type { Moment } from "../event.ts";
import type { Project } from "../layers/project.ts";
import { comparePositions } from "../ledger/position.ts";
import type { NodeParts } from "../parts.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import { whole } from "../telemetry/weights.ts";
import { shareAtLeast, verdictOn } from "./gate.ts";
import { travelMs } from "./plan.ts";
import { RolloutWindows, someSites } from "./rollout-windows.ts";

/**
 * What is known of a project's releases and of some of its flags. Children say something of each flag
 * that there is, so it is read once for all rollouts of the project.
 */
export class RolloutFleet {
  readonly own: boolean;
  readonly windows: RolloutWindows;
  /** How far the project's ledger has come at each child, and below it. */
  readonly arrivals: readonly { term: number; seq: number; basisPoints: number }[];
  readonly #healthOf: () => Health;
  readonly #weightsOf: () => Weights;
  #health: Health | undefined;
  #weights: Weights | undefined;

  /** @param flags those that rollouts are about */
  constructor(
    telemetry: Telemetry,
    of: { project: Project; flags: readonly string[]; windows: RolloutWindows; wallMs: number },
  ) {
    const { project, windows, wallMs } = of;
    const flags = [...new Set(of.flags)].filter((flag) => project.own.flags.has(flag));
    const fleet = telemetry.fleet(project, wallMs, { flags });
    this.own = fleet.own;
    this.windows = windows;
    this.arrivals = windows.documents.map(({ document }) => {
      const { term = 0, seq = 0, basisPoints = 0 } = document.health?.arrival ?? {};
      return { term, seq, basisPoints: Math.min(whole, basisPoints) };
    });
    this.#healthOf = () => fleet.health;
    this.#weightsOf = () => telemetry.fleet(project, wallMs, { flags: [] }).weights;
  }

  get health(): Health {
    this.#health ??= this.#healthOf();
    return this.#health;
  }

  /** Of releases. */
  get weights(): Weights {
    this.#weights ??= this.#weightsOf();
    return this.#weights;
  }
}

/**
 * What there is to decide on now: everything that a decision is made from, and that is kept with it.
 * @param known what was read for other rollouts of the project at the same time
 */
export function factsOf(
  parts: NodeParts,
  of: { rollout: Rollout; at: Moment; known?: RolloutFleet | undefined },
): RolloutFacts {
  const { rollout, at } = of;
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
  const fleet = of.known ?? rolloutFleet(parts, telemetry, { project, flags: [rollout.flag], at });
  const { windows } = fleet;
  const stepStartedMs = Number(rollout.stepStartedMs);
  const isStale = ({ atMs }: { atMs: number }): boolean => atMs < stepStartedMs;
  const stale = windows.awaited.filter(isStale);
  // Who is not waited for has still not reported: a step is not over on words from before it alone.
  const silentCount = windows.passed.filter(isStale).length;
  const position = rollout.position ?? { term: 0, seq: 0 };
  const arrived = fleet.arrivals.map((arrival) =>
    comparePositions(arrival, position) < 0 ? 0 : arrival.basisPoints,
  );
  if (fleet.own) arrived.push(whole);
  const isReleaseAsked = plan.release !== "";
  const releaseShare = isReleaseAsked ? shareAtLeast(fleet.weights, plan.release) : undefined;
  return create(RolloutFactsSchema, {
    ...stands,
    flagVerdict: verdictOn(fleet.health, { kind: "FLAG", name: rollout.flag }),
    releaseVerdict: verdictOn(fleet.health, { kind: "RELEASE", name: plan.release }),
    arrivalShare: Math.floor(
      arrived.reduce((sum, share) => sum + share, 0) / Math.max(1, arrived.length),
    ),
    reportersCount: arrived.length - silentCount,
    staleCount: stale.length,
    stale: someSites(stale),
    travelMs: BigInt(travelMs(plan, windows.windowMs)),
    slow: someSites(windows.slow),
    slowWindowMs: BigInt(windows.slowMs),
    passed: someSites(windows.passed),
    ...(releaseShare !== undefined && { releaseShare }),
  });
}

export function rolloutFleet(
  parts: NodeParts,
  telemetry: Telemetry,
  of: { project: Project; flags: readonly string[]; at: Moment },
): RolloutFleet {
  const { project, flags, at } = of;
  const windows = windowsOf(parts, project, at);
  return new RolloutFleet(telemetry, { project, flags, windows, wallMs: at.wallMs });
}

/** How often children report, as far as a rollout waits for them. */
export function windowsOf(parts: NodeParts, project: Project, at: Moment): RolloutWindows {
  const asked = { project: project.name, kind: "HEALTH", wallMs: at.wallMs, sinceMs: 0 } as const;
  const documents = parts.telemetry?.received.of(asked) ?? [];
  return new RolloutWindows(documents, parts.settings.healthWindowMs);
}
