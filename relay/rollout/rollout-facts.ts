import { create } from "@bufbuild/protobuf";
import {
  type Rollout,
  type RolloutFacts,
  RolloutFactsSchema,
} from "../../gen/headwater/v1/rollouts_pb.ts";
import type { Moment } from "../event.ts";
import type { Project } from "../layers/project.ts";
import { comparePositions } from "../ledger/position.ts";
import type { NodeParts } from "../parts.ts";
import { whole } from "../telemetry/weights.ts";
import { shareAtLeast, verdictOn } from "./gate.ts";
import { travelMs } from "./plan.ts";

/** What there is to decide on now: everything that a decision is made from, and that is kept with it. */
export function factsOf(parts: NodeParts, rollout: Rollout, at: Moment): RolloutFacts {
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

/** The longest window of health documents that is seen. */
export function windowOf(parts: NodeParts, project: Project, at: Moment): number {
  const asked = { project: project.name, kind: "HEALTH", wallMs: at.wallMs, sinceMs: 0 } as const;
  const documents = parts.telemetry?.received.of(asked) ?? [];
  const windows = documents.map(({ document }) => document.windowMs ?? 0);
  return Math.max(parts.settings.healthWindowMs, ...windows);
}
