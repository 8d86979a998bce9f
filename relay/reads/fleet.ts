import { create } from "@bufbuild/protobuf";
import {
  type ListCensusesResponse,
  ListCensusesResponseSchema,
} from "../../gen/headwater/v1/censuses_pb.ts";
import { type GetFleetResponse, GetFleetResponseSchema } from "../../gen/headwater/v1/fleet_pb.ts";
import {
  type CheckGateRequest,
  type CheckGateResponse,
  CheckGateResponseSchema,
} from "../../gen/headwater/v1/rollouts_pb.ts";
import type { Document } from "../../gen/headwater/v1/telemetry_pb.ts";
import type { Moment } from "../event.ts";
import type { Project } from "../layers/project.ts";
import { gateConditionsMax } from "../limits.ts";
import type { NodeParts } from "../parts.ts";
import { quoted } from "../quoted.ts";
import { done, type Outcome, refused, telemetryOff } from "../refusal.ts";
import { checkCondition, conditionProblem, joinAnswers } from "../rollout/gate.ts";
import { cautionsOf } from "../telemetry/caution.ts";
import { censusStandings } from "../telemetry/census/census-standing.ts";
import { isDisclosureLevel } from "../telemetry/disclosure/level.ts";
import { documentKinds } from "../telemetry/window.ts";

/** Ways to crash that an operator is shown. */
const crashesShownMax = 20;

/** What is to be previewed; empty texts stand for what would be sent by itself. */
export interface PreviewAsk {
  readonly project: string;
  readonly kind: string;
  readonly disclosure: string;
  readonly upstream: string;
}

export interface Preview {
  /** Undefined where nothing would be sent, and `why` says why. */
  readonly document: Document | undefined;
  readonly why: string;
  readonly cautions: readonly string[];
}

/** What is known of who runs a project here and below. */
export function fleetOf(parts: NodeParts, name: string, wallMs: number): Outcome<GetFleetResponse> {
  const project = parts.holdings.projectNamed(name);
  if (!project.ok) return project;
  const fleet = parts.telemetry?.fleet(project.value, wallMs);
  if (fleet === undefined) return telemetryOff();
  return done(
    create(GetFleetResponseSchema, {
      project: name,
      weights: fleet.weights,
      health: fleet.health,
      reportersCount: fleet.reportersCount,
      own: fleet.own,
      windowsOldMax: fleet.windowsOldMax,
      instancesCount: fleet.instancesCount,
      crashes: crashesOf(parts, project.value),
      releasesOnlyCount: fleet.releasesOnlyCount,
    }),
  );
}

function crashesOf(
  { telemetry }: NodeParts,
  { name, own }: Project,
): { signature: string; instancesCount: number; listed: boolean }[] {
  const counts = telemetry?.crashes.counts(name) ?? [];
  return counts
    .slice(0, crashesShownMax)
    .map((one) => ({ ...one, listed: own.crashes.has(one.signature) }));
}

/** Whether everything that is asked of a fleet holds, and how complete the data is. */
export function gateOf(
  parts: NodeParts,
  request: CheckGateRequest,
  wallMs: number,
): Outcome<CheckGateResponse> {
  const project = parts.holdings.projectNamed(request.project);
  if (!project.ok) return project;
  const conditionsCount = request.conditions.length;
  if (conditionsCount > gateConditionsMax)
    return refused(
      "limit",
      `conditions: ${conditionsCount}; at most ${gateConditionsMax} are allowed`,
      "Ask about some of them at a time.",
    );
  const unknown = request.conditions.map((one) => conditionProblem(one, project.value.own));
  const problem = unknown.find((one) => one !== undefined);
  if (problem !== undefined) return refused("unknown", `conditions: ${problem}`);
  const { telemetry } = parts;
  if (telemetry === undefined) return telemetryOff();
  const fleet = telemetry.fleet(project.value, wallMs);
  const { weights, health, reportersCount, releasesOnlyCount, own, windowsOldMax } = fleet;
  const censuses = censusStandings(telemetry.censuses, project.value, wallMs);
  const { sitesMin } = request;
  const facts = { weights, health, reportersCount, releasesOnlyCount, sitesMin, censuses };
  const checks = request.conditions.map((one) => checkCondition(one, facts));
  const answer = joinAnswers(checks.map((check) => check.answer));
  const childrenCount = new Set(parts.downlinks.links.map(({ site }) => site)).size;
  const data = { reportersCount, own, windowsOldMax, childrenCount };
  return done(create(CheckGateResponseSchema, { answer, checks, data }));
}

/** What is asked of a project, whether this site takes part, and what came of it. */
export function censusesOf(
  parts: NodeParts,
  name: string,
  wallMs: number,
): Outcome<ListCensusesResponse> {
  const project = parts.holdings.projectNamed(name);
  if (!project.ok) return project;
  const { telemetry } = parts;
  if (telemetry === undefined) return telemetryOff();
  const { censuses } = telemetry;
  const enrollment = censuses.enrollment(name);
  return done(
    create(ListCensusesResponseSchema, {
      censuses: censusStandings(censuses, project.value, wallMs),
      enrolled: enrollment !== undefined,
      withoutApps: enrollment?.withoutApps === true,
      windowMsMin: BigInt(censuses.windowMsMin),
      reportersCount: telemetry.fleet(project.value, wallMs).reportersCount,
    }),
  );
}

/** The document that an upstream would get of a project now, and what its level can not hide. */
export function previewOf(parts: NodeParts, of: PreviewAsk, at: Moment): Outcome<Preview> {
  const project = parts.holdings.projectNamed(of.project);
  if (!project.ok) return project;
  const kind = documentKinds.find((one) => one === (of.kind || "WEIGHTS"));
  if (kind === undefined) return refused("invalid", "kind: WEIGHTS or HEALTH");
  const { telemetry, uplinks } = parts;
  if (telemetry === undefined) return done(noDocument("telemetry is off at this node"));
  const primary = uplinks.primaryOf(project.value.ownLedger.id)?.settings.id;
  const upstream = of.upstream || primary || uplinks.all[0]?.settings.id || "";
  const asked = of.disclosure.toUpperCase();
  const level = asked === "" ? telemetry.consents.of(upstream).level : asked;
  if (!isDisclosureLevel(level))
    return refused("invalid", `disclosure: ${quoted(level)} is no level`);
  if (asked === "" && upstream === "") return done(noDocument("this node has no upstream"));
  if (level === "OFF") return done(noDocument(`disclosure to ${upstream} is off`));
  const document = telemetry.outbox.preview({
    upstream,
    project: project.value,
    kind,
    level,
    wallMs: at.wallMs,
  });
  const fleet = telemetry.fleet(project.value, at.wallMs);
  return done({
    document,
    why: document === undefined ? `${of.project} is EMPTY here` : "",
    cautions: cautionsOf(level, of.project, fleet),
  });
}

function noDocument(why: string): Preview {
  return { document: undefined, why, cautions: [] };
}
