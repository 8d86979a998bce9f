import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { ReportRequest } from "../../gen/headwater/v1/apps_pb.ts";
import { type SentDocument, SentDocumentSchema } from "../../gen/headwater/v1/fleet_pb.ts";
import {
  type DisclosureChoice,
  DisclosureChoiceSchema,
  type WindowState,
  WindowStateSchema,
} from "../../gen/headwater/v1/store_pb.ts";
import { type Document, DocumentSchema } from "../../gen/headwater/v1/telemetry_pb.ts";
import { reportIntervalMs, secondMs } from "../cadence.ts";
import { digits, type Records } from "../durable.ts";
import type { Write } from "../effect.ts";
import type { Project } from "../layers/project.ts";
import { instancesCountMax } from "../limits.ts";
import { exact } from "./disclosure/exact.ts";
import { type DisclosureLevel, isDisclosureLevel } from "./disclosure/level.ts";
import { rounded, roundedHealth } from "./disclosure/rounded.ts";
import { Fleet } from "./fleet.ts";
import { Intake } from "./intake.ts";
import { Received } from "./received.ts";
import { type DocumentKind, documentKinds, type Slot, slotOf, Windows } from "./window.ts";

export interface TelemetrySettings {
  readonly siteSecret: Uint8Array;
  readonly windowMs: number;
  readonly healthWindowMs: number;
  /** What the environment says, for upstreams without a choice made at a command. */
  readonly disclosure: DisclosureLevel;
}

/** A document that is due: to be made durable, then sent. */
export interface DueDocument {
  readonly upstream: string;
  readonly document: Document;
  readonly writes: readonly Write[];
  accept(): void;
}

/** An operator's choice: to be made durable, then accepted. */
export interface Choice {
  readonly write: Write;
  accept(): void;
}

/** Attempts for one document; best effort, and never a burst. */
const attemptsMax = 3;

interface Pending {
  readonly key: string;
  readonly sent: SentDocument;
  attempts: number;
}

/** What reports and documents come to, and what of it may leave. */
export class Telemetry {
  readonly received: Received;
  readonly #settings: TelemetrySettings;
  readonly #intakes = new Map<string, Intake>();
  readonly #choices = new Map<string, DisclosureChoice>();
  readonly #states = new Map<Slot, WindowState>();
  readonly #pending = new Map<Slot, Pending>();

  constructor(settings: TelemetrySettings, records: Records) {
    this.#settings = settings;
    this.received = new Received(records);
    for (const [upstream, bytes] of records.get("disclosure") ?? [])
      this.#choices.set(upstream, fromBinary(DisclosureChoiceSchema, bytes));
    for (const [slot, bytes] of records.get("window") ?? [])
      this.#states.set(slot, fromBinary(WindowStateSchema, bytes));
  }

  /** Reports are asked for at least twice a window, so that short windows see something. */
  get reportEveryMs(): number {
    const shortest = Math.min(this.#settings.windowMs, this.#settings.healthWindowMs);
    return Math.min(reportIntervalMs, Math.max(secondMs, Math.floor(shortest / 2)));
  }

  intake(project: string): Intake {
    const intake = this.#intakes.get(project) ?? new Intake();
    this.#intakes.set(project, intake);
    return intake;
  }

  /** False when there is no room for one more instance. */
  take(report: ReportRequest, wallMs: number): boolean {
    const intake = this.intake(report.project);
    if (!intake.holds(report.instance) && this.#instancesCount >= instancesCountMax) return false;
    intake.take(report, wallMs);
    return true;
  }

  /** Forgets instances that were silent for two intervals. */
  expire(wallMs: number): void {
    for (const intake of this.#intakes.values()) intake.expire(wallMs, this.reportEveryMs);
  }

  get #instancesCount(): number {
    return [...this.#intakes.values()].reduce((sum, { instancesCount }) => sum + instancesCount, 0);
  }

  fleet(project: Project, wallMs: number, sinceMs: number = 0): Fleet {
    const intake = this.intake(project.name);
    intake.expire(wallMs, this.reportEveryMs);
    return new Fleet({
      sinceMs,
      project,
      reports: intake.reports(sinceMs),
      received: this.received,
      wallMs,
    });
  }

  /** What is disclosed to an upstream, since when, and who said so. */
  disclosure(upstream: string): { level: DisclosureLevel; sinceMs: number; source: string } {
    const choice = this.#choices.get(upstream);
    if (choice === undefined || !isDisclosureLevel(choice.level))
      return { level: "OFF", sinceMs: Number.POSITIVE_INFINITY, source: "default" };
    const source = choice.byCommand ? "command" : "environment";
    return { level: choice.level, sinceMs: Number(choice.sinceMs), source };
  }

  /**
   * Writes down an operator's choice and its time, so that nothing from before it is sent. The
   * environment's counts from when a node first runs with it; undefined when it changes nothing.
   */
  choose(of: {
    upstream: string;
    level: DisclosureLevel;
    byCommand: boolean;
    wallMs: number;
  }): Choice | undefined {
    const { upstream, level, byCommand } = of;
    const held = this.#choices.get(upstream);
    if (!byCommand && held === undefined && level === "OFF") return undefined;
    if (!byCommand && (held?.byCommand === true || held?.level === level)) return undefined;
    // Saying the same again is no new consent: windows go on.
    const sinceMs = held?.level === level ? held.sinceMs : BigInt(Math.ceil(of.wallMs));
    const choice = create(DisclosureChoiceSchema, { level, sinceMs, byCommand });
    const value = toBinary(DisclosureChoiceSchema, choice);
    return {
      write: { bucket: "disclosure", key: upstream, value },
      accept: () => this.#choices.set(upstream, choice),
    };
  }

  /** What the environment says about an upstream, where that is news. */
  adoptEnvironment(upstream: string, wallMs: number): Choice | undefined {
    const level = this.#settings.disclosure;
    return this.choose({ upstream, level, byCommand: false, wallMs });
  }

  /** Wall-clock milliseconds at which the next document may be due. */
  nextDueMs(upstream: string, project: string, wallMs: number): number {
    return Math.min(
      ...documentKinds.map((kind) => {
        const windows = this.#windows(slotOf({ upstream, project, kind }), kind);
        return windows.startMs(windows.at(wallMs) + 1);
      }),
    );
  }

  /** The documents that are due for a project at its primary upstream. */
  due(upstream: string, project: Project, wallMs: number): DueDocument[] {
    const { level, sinceMs } = this.disclosure(upstream);
    if (level === "OFF" || project.isEmpty) return [];
    return documentKinds.flatMap((kind) => {
      const slot = slotOf({ upstream, project: project.name, kind });
      const windows = this.#windows(slot, kind);
      const last = this.#lastWindow(slot, windows.windowMs);
      const window = windows.due({ wallMs, last, sinceMs });
      if (window === undefined) return [];
      const document = this.#document({ slot, project, kind, level, window, wallMs, sinceMs });
      return [this.#dueDocument({ slot, upstream, document, wallMs })];
    });
  }

  /** What would be sent if the window ended now. */
  preview(of: {
    upstream: string;
    project: Project;
    kind: DocumentKind;
    level: DisclosureLevel;
    wallMs: number;
  }): Document | undefined {
    if (of.level === "OFF" || of.project.isEmpty) return undefined;
    const slot = slotOf({ upstream: of.upstream, project: of.project.name, kind: of.kind });
    const window = Math.max(0, this.#windows(slot, of.kind).at(of.wallMs));
    const { sinceMs } = this.disclosure(of.upstream);
    const since = Number.isFinite(sinceMs) ? sinceMs : 0;
    return this.#document({ ...of, slot, window, sinceMs: since });
  }

  /** Whether a document that was made may still be sent: the operator may have said otherwise. */
  mayLeave(upstream: string, document: Document): boolean {
    const { level, sinceMs } = this.disclosure(upstream);
    const kind = document.kind as DocumentKind;
    const windows = this.#windows(slotOf({ upstream, project: document.project, kind }), kind);
    return level === document.disclosure && windows.startMs(Number(document.window)) >= sinceMs;
  }

  /** What the parent said; whether to try once more. */
  answered(
    upstream: string,
    document: Document,
    outcome: string,
  ): { writes: Write[]; again: boolean } {
    const slot = slotOf({
      upstream,
      project: document.project,
      kind: document.kind as DocumentKind,
    });
    const pending = this.#pending.get(slot);
    if (pending?.sent.document?.window !== document.window || pending === undefined)
      return { writes: [], again: false };
    const isSettled = ["ACCEPTED", "REPEATED", "UNKNOWN_PROJECT"].includes(outcome);
    const again = !isSettled && pending.attempts < attemptsMax;
    pending.attempts++;
    if (!again) this.#pending.delete(slot);
    const sent = create(SentDocumentSchema, { ...pending.sent, outcome: outcome.slice(0, 200) });
    return { writes: [sentWrite(pending.key, sent)], again };
  }

  /** Windows may have had another length before a restart; their starts rise all the same. */
  #lastWindow(slot: Slot, windowMs: number): number {
    const state = this.#states.get(slot);
    if (state === undefined) return -1;
    const formerMs = state.shown?.windowMs ?? windowMs;
    return Math.floor((Number(state.window) * formerMs) / windowMs);
  }

  #windows(slot: Slot, kind: DocumentKind): Windows {
    const { siteSecret, windowMs, healthWindowMs } = this.#settings;
    return new Windows({
      siteSecret,
      slot,
      windowMs: kind === "WEIGHTS" ? windowMs : healthWindowMs,
    });
  }

  #document(of: {
    slot: Slot;
    project: Project;
    kind: DocumentKind;
    level: DisclosureLevel;
    window: number;
    wallMs: number;
    sinceMs: number;
  }): Document {
    const fleet = this.fleet(of.project, of.wallMs, of.sinceMs);
    const shown = this.#states.get(of.slot)?.shown;
    const isExact = of.level === "EXACT";
    return create(DocumentSchema, {
      project: of.project.name,
      kind: of.kind,
      disclosure: of.level,
      window: BigInt(of.window),
      windowMs: of.kind === "WEIGHTS" ? this.#settings.windowMs : this.#settings.healthWindowMs,
      ...(of.kind === "WEIGHTS"
        ? { weights: isExact ? exact(fleet.weights) : rounded(fleet.weights, shown?.weights) }
        : { health: isExact ? fleet.health : roundedHealth(fleet.health, shown?.health) }),
    });
  }

  #dueDocument(of: {
    slot: Slot;
    upstream: string;
    document: Document;
    wallMs: number;
  }): DueDocument {
    const { slot, upstream, document, wallMs } = of;
    const state = create(WindowStateSchema, { window: document.window ?? 0n, shown: document });
    const sent = create(SentDocumentSchema, {
      atMs: BigInt(Math.floor(wallMs)),
      upstream,
      document,
    });
    const key = `${document.project}/${digits(wallMs, 15)}-${document.kind}-${upstream}`;
    return {
      upstream,
      document,
      writes: [
        { bucket: "window", key: slot, value: toBinary(WindowStateSchema, state) },
        sentWrite(key, sent),
      ],
      accept: () => {
        this.#states.set(slot, state);
        this.#pending.set(slot, { key, sent, attempts: 1 });
      },
    };
  }
}

function sentWrite(key: string, sent: SentDocument): Write {
  return { bucket: "sent", key, value: toBinary(SentDocumentSchema, sent) };
}
