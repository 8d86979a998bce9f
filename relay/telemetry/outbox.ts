import { create, toBinary } from "@bufbuild/protobuf";
import { type SentDocument, SentDocumentSchema } from "../../gen/headwater/v1/fleet_pb.ts";
import { type WindowState, WindowStateSchema } from "../../gen/headwater/v1/store_pb.ts";
import type { CensusSlot, Document } from "../../gen/headwater/v1/telemetry_pb.ts";
import { turnMs } from "../cadence.ts";
import type { Records } from "../durable.ts";
import type { Write } from "../effect.ts";
import type { Project } from "../layers/project.ts";
import type { Consents } from "./consents.ts";
import type { DisclosureLevel } from "./disclosure/level.ts";
import { documentOf } from "./document.ts";
import type { Fleet, FleetPart } from "./fleet.ts";
import { SentLog, sentWrite } from "./sent-log.ts";
import { ToldWindows } from "./told-windows.ts";
import { type DocumentKind, documentKinds, type Slot, slotOf, Windows } from "./window.ts";

/** A document that is due: to be made durable, then sent. */
export interface DueDocument {
  readonly upstream: string;
  readonly document: Document;
  readonly writes: readonly Write[];
  accept(): void;
}

interface OutboxParts {
  readonly siteSecret: Uint8Array;
  readonly windowMs: number;
  readonly healthWindowMs: number;
  readonly consents: Consents;
  /** What is known of a project, as far as an upstream may hear of it. */
  readonly fleet: (project: Project, wallMs: number, of: FleetPart) => Fleet;
  /** The places for answers, of windows since then. */
  readonly census?: (project: Project, wallMs: number, sinceMs: number) => readonly CensusSlot[];
}

/** Attempts for one document; best effort, and never a burst. */
const attemptsMax = 3;

/** Answers after which there is nothing to say again. */
const settled: ReadonlySet<string> = new Set([
  "ACCEPTED",
  "REPEATED",
  "UNKNOWN_PROJECT",
  "TELEMETRY_OFF",
]);
/** With these a parent has a document of the window, be it ours or another node's of the site. */
const hasIt: readonly string[] = ["ACCEPTED", "REPEATED"];

interface Pending {
  readonly sent: SentDocument;
  attempts: number;
}

/** What became of a document. */
interface Answered {
  readonly writes: readonly Write[];
  readonly again: boolean;
  /** Nothing more will become of it; undefined while something may. */
  readonly settled: SentDocument | undefined;
  accept(): void;
}

/** Which documents are due to whom, and what became of those that were made. */
export class Outbox {
  readonly #of: OutboxParts;
  readonly #told: ToldWindows;
  readonly #pending = new Map<Slot, Pending>();
  readonly log: SentLog;

  /** @param latest the newest documents that were sent, encoded */
  constructor(of: OutboxParts, records: Records, latest: Iterable<Uint8Array> = []) {
    this.#of = of;
    this.log = new SentLog(latest);
    this.#told = new ToldWindows(of.siteSecret, records);
  }

  /**
   * The documents that are due for a project at its primary upstream.
   * @param turn how many nodes of the site come before this one; it sends what they have not
   */
  due(upstream: string, project: Project, wallMs: number, turn: number = 0): DueDocument[] {
    const { level, sinceMs } = this.#of.consents.of(upstream);
    if (level === "OFF" || project.isEmpty) return [];
    return documentKinds.flatMap((kind) => {
      const slot = slotOf({ upstream, project: project.name, kind });
      const windows = this.#windows(slot, kind);
      const last = this.#told.last(slot, windows.windowMs, wallMs);
      const untoldMs = Math.max(sinceMs, this.#told.elsewhereMs(slot, windows.windowMs, wallMs));
      const dueMs = wallMs - patienceMs(turn, windows.windowMs);
      const window = windows.due({ wallMs: dueMs, last, sinceMs: untoldMs });
      if (window === undefined) return [];
      const about = { slot, upstream, project, kind };
      const document = this.#document({ ...about, level, window, wallMs, sinceMs });
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
    const { sinceMs } = this.#of.consents.of(of.upstream);
    const since = Number.isFinite(sinceMs) ? sinceMs : 0;
    return this.#document({ ...of, slot, window, sinceMs: since });
  }

  /**
   * Whether a document that was made may still be sent: the operator may have said otherwise, or
   * another node of the site has sent one.
   */
  mayLeave(upstream: string, document: Document): boolean {
    const { level, sinceMs } = this.#of.consents.of(upstream);
    const kind = document.kind as DocumentKind;
    const slot = slotOf({ upstream, project: document.project, kind });
    if (this.#pending.get(slot)?.sent.document?.window !== document.window) return false;
    const windows = this.#windows(slot, kind);
    return level === document.disclosure && windows.startMs(Number(document.window)) >= sinceMs;
  }

  /** What the parent said; whether to try once more. */
  answered(upstream: string, document: Document, outcome: string): Answered {
    const slot = slotOf({
      upstream,
      project: document.project,
      kind: document.kind as DocumentKind,
    });
    const pending = this.#pending.get(slot);
    if (pending?.sent.document?.window !== document.window || pending === undefined)
      return { writes: [], again: false, settled: undefined, accept: () => {} };
    const isSettled = settled.has(outcome);
    const again = !isSettled && pending.attempts < attemptsMax;
    pending.attempts++;
    if (!again) this.#pending.delete(slot);
    const sent = create(SentDocumentSchema, { ...pending.sent, outcome: outcome.slice(0, 200) });
    return {
      writes: [sentWrite(sent)],
      again,
      settled: again ? undefined : sent,
      accept: () => {
        if (!again) this.log.accept(sent);
      },
    };
  }

  /**
   * What other nodes of the site have sent, as far as it is news: it is in this node's log too, and
   * what a parent has of a window is what was shown last, whoever has sent it.
   */
  heard(all: readonly SentDocument[], wallMs: number): { writes: Write[]; accept: () => void } {
    const news = all.filter((sent) => this.log.isNews(sent, wallMs));
    const shown = news.flatMap((sent) => {
      const { document, upstream, outcome } = sent;
      if (document === undefined || !hasIt.includes(outcome)) return [];
      const { project, window = 0n, windowMs = 0 } = document;
      const kind = document.kind as DocumentKind;
      const slot = slotOf({ upstream, project, kind });
      const ownMs = this.#windowMs(kind);
      const isNewer =
        Math.floor((Number(window) * windowMs) / ownMs) > this.#told.last(slot, ownMs, wallMs);
      return isNewer
        ? [{ slot, state: create(WindowStateSchema, { window, shown: document }) }]
        : [];
    });
    return {
      writes: [
        ...shown.map(({ slot, state }) => stateWrite(slot, state)),
        ...news.map((sent) => sentWrite(sent)),
      ],
      accept: () => {
        for (const { slot, state } of shown) {
          this.#told.set(slot, state);
          this.#pending.delete(slot);
        }
        for (const sent of news) this.log.accept(sent);
      },
    };
  }

  #windows(slot: Slot, kind: DocumentKind): Windows {
    return new Windows({ siteSecret: this.#of.siteSecret, slot, windowMs: this.#windowMs(kind) });
  }

  #windowMs(kind: DocumentKind): number {
    return kind === "WEIGHTS" ? this.#of.windowMs : this.#of.healthWindowMs;
  }

  #document(of: {
    slot: Slot;
    upstream: string;
    project: Project;
    kind: DocumentKind;
    level: DisclosureLevel;
    window: number;
    wallMs: number;
    sinceMs: number;
  }): Document {
    return documentOf({
      // Sites that stand in for each other are now above and now below: nothing comes back to whom it is from.
      fleet: this.#of.fleet(of.project, of.wallMs, { sinceMs: of.sinceMs, to: of.upstream }),
      project: of.project.name,
      kind: of.kind,
      level: of.level,
      window: of.window,
      windowMs: this.#windowMs(of.kind),
      shown: this.#told.shown(of.slot, this.#windowMs(of.kind), of.sinceMs),
      siteSecret: this.#of.siteSecret,
      census: () => this.#of.census?.(of.project, of.wallMs, of.sinceMs) ?? [],
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
    return {
      upstream,
      document,
      writes: [stateWrite(slot, state), sentWrite(sent)],
      accept: () => {
        this.#told.set(slot, state);
        this.#pending.set(slot, { sent, attempts: 1 });
      },
    };
  }
}

/** How long a document is left to those whose turn comes before, at most half a window. */
function patienceMs(turn: number, windowMs: number): number {
  return Math.min(turn * Math.min(turnMs, windowMs / 10), windowMs / 2);
}

function stateWrite(slot: Slot, state: WindowState): Write {
  return { bucket: "window", key: slot, value: toBinary(WindowStateSchema, state) };
}
