import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { ListCensusesResponse } from "../../gen/headwater/v1/censuses_pb.ts";
import type { GetFleetResponse } from "../../gen/headwater/v1/fleet_pb.ts";
import {
  type GetLedgerResponse,
  GetLedgerResponseSchema,
  type GetTrustResponse,
  GetTrustResponseSchema,
} from "../../gen/headwater/v1/ledgers_pb.ts";
import type { ProjectPin } from "../../gen/headwater/v1/mesh_pb.ts";
import {
  type Child,
  ChildSchema,
  type ExplainResponse,
  type GetStatusResponse,
} from "../../gen/headwater/v1/nodes_pb.ts";
import type {
  CheckGateRequest,
  CheckGateResponse,
  Rollout,
} from "../../gen/headwater/v1/rollouts_pb.ts";
import type { TokenRecord } from "../../gen/headwater/v1/store_pb.ts";
import type { Moment } from "../event.ts";
import type { EffectiveFlag } from "../flag/effective-flag.ts";
import type { FlagByRelease } from "../flag/flag-by-release.ts";
import type { FlagSet } from "../flag/flagd-json.ts";
import { explain, flagText } from "../layers/explanation.ts";
import type { FlagTableChange } from "../layers/flag-table.ts";
import { type Freshness, freshnessOf } from "../ledger/freshness.ts";
import { ledgerId, positionText } from "../ledger/position.ts";
import { isSignedElsewhere } from "../ledger/writer.ts";
import type { NodeParts } from "../parts.ts";
import { quoted } from "../quoted.ts";
import { done, type Outcome, refused } from "../refusal.ts";
import { trustMessage } from "../trust/trusted.ts";
import { censusesOf, fleetOf, gateOf, type Preview, type PreviewAsk, previewOf } from "./fleet.ts";
import { statusOf } from "./status.ts";

/** The table of one release, as apps get it. */
export interface TableView {
  /** Empty for unknown builds. */
  readonly release: string;
  /** 32 bytes; equal tables have equal positions. */
  readonly position: Uint8Array;
  readonly flags: ReadonlyMap<string, EffectiveFlag>;
  /** What has changed since a former position; undefined where the whole table has to do. */
  changeSince(position: Uint8Array): FlagTableChange | undefined;
}

/** Where a project stands, without its flags. */
export interface ProjectStanding extends Omit<FlagSet, "flags"> {
  /** Differs whenever a ledger has moved, or grants or freshness have changed; the same on every node. */
  readonly state: string;
}

/** What may be asked of a node without changing it. */
export class Reads {
  readonly #parts: NodeParts;

  constructor(parts: NodeParts) {
    this.#parts = parts;
  }

  projects(): string[] {
    return [...this.#parts.holdings.projects.keys()].sort();
  }

  pins(): readonly ProjectPin[] {
    return this.#parts.holdings.pins;
  }

  /** The roots and grants that are held of an authority. */
  trust(of: { project: string; authority: Uint8Array }): Outcome<GetTrustResponse> {
    const ledger = this.#parts.holdings.ledgerOf(of.project, of.authority);
    if (!ledger.ok) return ledger;
    const { name, trusted, position } = ledger.value;
    if (trusted === undefined)
      return refused("unavailable", `trust: nothing verified is held of ${name.project} yet`);
    const trust = trustMessage(trusted);
    const term = position?.term ?? 0;
    return done(create(GetTrustResponseSchema, { ledger: name, trust, term }));
  }

  /** Ledgers whose stored form was damaged when the node started. */
  damaged(): readonly string[] {
    return this.#parts.holdings.damaged;
  }

  /** An unknown project or flag is an answer too: an app must not fail because of a flag. */
  evaluate(
    of: { project: string; flag: string; instance: string; version: string },
    wallMs: number,
  ): { enabled: boolean; reason: string; freshness: Freshness } {
    const project = this.#parts.holdings.projects.get(of.project);
    if (project === undefined)
      return { enabled: false, reason: "UNKNOWN_FLAG", freshness: "EMPTY" };
    return { ...project.decide({ ...of, wallMs }), freshness: project.freshness(wallMs) };
  }

  freshness(project: string, wallMs: number): Freshness {
    return this.#parts.holdings.projects.get(project)?.freshness(wallMs) ?? "EMPTY";
  }

  /** Undefined while the project is EMPTY: that is not the same as a table without flags. */
  table(project: string, version: string, wallMs: number): TableView | undefined {
    return this.#parts.holdings.projects.get(project)?.table(version, wallMs);
  }

  /** How far a project has come here; 0 for one that is not held. */
  progress(project: string): bigint {
    return this.#parts.holdings.projects.get(project)?.progress ?? 0n;
  }

  /**
   * Whether it would be news to a census that this instance asks for flags: it has not reported, and
   * the answer is still open. An empty instance is one that nobody can name.
   */
  isUnreported(project: string, instance: string, wallMs: number): boolean {
    const { telemetry } = this.#parts;
    if (telemetry?.censuses.wouldDoubt(project, wallMs) !== true) return false;
    return instance === "" || !telemetry.intake(project).holds(instance);
  }

  releaseOf(project: string, version: string, wallMs: number): string {
    return this.#parts.holdings.projects.get(project)?.buildOf(version, wallMs).release ?? "";
  }

  /** One flag for every build; undefined when there is no such flag, or nothing verified yet. */
  flagByRelease(project: string, flag: string, wallMs: number): FlagByRelease | undefined {
    return this.#parts.holdings.projects.get(project)?.byRelease(flag, wallMs);
  }

  /** Where a project stands; undefined while it is EMPTY, and for one that is not held. */
  standing(project: string, wallMs: number): ProjectStanding | undefined {
    const held = this.#parts.holdings.projects.get(project);
    if (held === undefined || held.isEmpty) return undefined;
    const sequence = held.ownLedger.position?.seq ?? 0;
    const positions = held.ledgers.map(({ position }) => position && positionText(position));
    const freshness = held.freshness(wallMs);
    const parts = [...positions, held.grantsText, freshness].filter((part) => part !== "");
    return { project, sequence, freshness, state: parts.join(" ") };
  }

  /** All flags of a project for every build; undefined while it is EMPTY. */
  flagSet(project: string, wallMs: number): FlagSet | undefined {
    const standing = this.standing(project, wallMs);
    const flags = this.#parts.holdings.projects.get(project)?.allByRelease(wallMs);
    return standing && flags && { ...standing, flags };
  }

  flags(project: string): string[] {
    return [...(this.#parts.holdings.projects.get(project)?.own.flags.keys() ?? [])].sort();
  }

  flagText(project: string, flag: string, wallMs: number): string {
    const held = this.#parts.holdings.projects.get(project);
    return held === undefined ? "" : flagText(held, { flag, wallMs });
  }

  status(at: Moment): GetStatusResponse {
    return statusOf(this.#parts, at);
  }

  explain(
    of: { project: string; flag: string; instance: string; version: string },
    wallMs: number,
  ): Outcome<ExplainResponse> {
    const project = this.#parts.holdings.projectNamed(of.project);
    if (!project.ok) return project;
    if (!project.value.isEmpty && !project.value.own.flags.has(of.flag))
      return refused(
        "unknown",
        `flag: ${of.project} has no ${quoted(of.flag)}`,
        `\`headwater flag list ${of.project}\` shows those it has.`,
      );
    const explained = explain(project.value, { ...of, wallMs });
    for (const part of explained.parts) {
      const id = ledgerId({ authority: part.authority, project: of.project });
      part.writable = this.#parts.holdings.writers.has(id);
      part.primary = this.#parts.uplinks.primaryOf(id)?.settings.id ?? "";
    }
    return done(explained);
  }

  ledger(
    of: { project: string; authority: Uint8Array },
    wallMs: number,
  ): Outcome<GetLedgerResponse> {
    const found = this.#parts.holdings.ledgerOf(of.project, of.authority);
    if (!found.ok) return found;
    const ledger = found.value;
    const response: MessageInitShape<typeof GetLedgerResponseSchema> = {
      ledger: { authority: ledger.name.authority, project: ledger.name.project },
      entries: [...ledger.entries].map(([key, { value }]) => ({ key, value })),
      writable: this.#parts.holdings.writers.has(ledger.id),
      freshness: freshnessOf(ledger, wallMs),
      signedElsewhere: isSignedElsewhere(this.#parts.holdings.writers.get(ledger.id)),
      ...(ledger.position && { position: ledger.position }),
      ...(ledger.head && { head: ledger.head.envelope }),
    };
    return done(create(GetLedgerResponseSchema, response));
  }

  children(): Child[] {
    const linked = new Set(this.#parts.downlinks.links.map(({ site }) => site));
    const tokens = this.#parts.children.records.filter(({ certificate }) => !certificate);
    return tokens.map(({ name, id, addedMs, expiresMs, revoked }) => {
      const connected = !revoked && linked.has(name);
      return create(ChildSchema, { name, id, addedMs, expiresMs, revoked, connected });
    });
  }

  /** Tokens of this node's operators; of each its hash. */
  tokens(): readonly TokenRecord[] {
    return this.#parts.tokens.records;
  }

  fleet(project: string, wallMs: number): Outcome<GetFleetResponse> {
    return fleetOf(this.#parts, project, wallMs);
  }

  rollouts(project: string): Rollout[] {
    return this.#parts.rollouts.list(project);
  }

  /** Whether everything that is asked of a fleet holds, and how complete the data is. */
  gate(request: CheckGateRequest, wallMs: number): Outcome<CheckGateResponse> {
    return gateOf(this.#parts, request, wallMs);
  }

  /** What is asked of a project, whether this site takes part, and what came of it. */
  censuses(project: string, wallMs: number): Outcome<ListCensusesResponse> {
    return censusesOf(this.#parts, project, wallMs);
  }

  /** What would be sent of a project now; why, where it would be nothing. */
  preview(of: PreviewAsk, at: Moment): Outcome<Preview> {
    return previewOf(this.#parts, of, at);
  }
}
