import { fromBinary } from "@bufbuild/protobuf";
import type { ReportRequest } from "../../gen/headwater/v1/apps_pb.ts";
import { FlagSchema } from "../../gen/headwater/v1/flag_pb.ts";
import { staleAfterMs } from "../../relay/cadence.ts";
import type { Write } from "../../relay/effect.ts";
import { comparePositions, type LedgerId } from "../../relay/ledger/position.ts";
import { AppChecks } from "./app-checks.ts";
import { CensusChecks } from "./census-checks.ts";
import { entriesOf, LedgerChecks, type PinGrant, release } from "./ledger-checks.ts";
import { LinkChecks } from "./link-checks.ts";
import { type PromiseId, PromiseTally } from "./promises.ts";
import { RestChecks } from "./rest-checks.ts";
import { RolloutChecks } from "./rollout-checks.ts";
import type { Observer, SimulatedNode } from "./simulated-node.ts";
import { TelemetryChecks } from "./telemetry-checks.ts";
import { TrialChecks } from "./trial-checks.ts";
import { Truth } from "./truth.ts";
import { WorkChecks } from "./work-checks.ts";
import type { World } from "./world.ts";

/** @throws BrokenPromise unless it holds */
export type Hold = (
  promise: PromiseId,
  node: string,
  holds: boolean,
  what: string | (() => string),
) => void;

/** A label is renewed when a node looks, and may be late by this much. */
const labelGraceMs = 10_000;

/** Everything that is looked at, at every step of every node. */
export class Checks {
  readonly tally = new PromiseTally();
  readonly truth = new Truth();
  readonly ledgers: LedgerChecks;
  readonly links: LinkChecks;
  readonly apps: AppChecks;
  readonly telemetry: TelemetryChecks;
  readonly trials: TrialChecks;
  readonly rollouts: RolloutChecks;
  readonly census: CensusChecks;
  readonly work: WorkChecks;
  readonly rest: RestChecks;
  /** Nodes that are not what they seem, and are not looked at. */
  readonly excused = new Set<string>();
  /** The most that clocks were apart. */
  skewMsMax = 0;
  readonly #world: World;
  readonly #project: string;
  /** Nodes of which a table has to be looked at once their step is over. */
  readonly #changed = new Set<string>();
  readonly #log = new Map<string, number>();

  constructor(world: World, project: string) {
    this.#world = world;
    this.#project = project;
    const of = { world, truth: this.truth, hold: this.hold, project };
    this.ledgers = new LedgerChecks(of);
    this.links = new LinkChecks(of);
    this.apps = new AppChecks(of);
    this.telemetry = new TelemetryChecks(of);
    this.trials = new TrialChecks(of);
    this.census = new CensusChecks(of);
    this.work = new WorkChecks(of);
    this.rest = new RestChecks(of);
    const areClocksRight = (): boolean => this.skewMsMax === 0;
    this.rollouts = new RolloutChecks({ ...of, trials: this.trials, areClocksRight });
  }

  readonly hold: Hold = (promise, node, holds, what) =>
    this.tally.hold({ promise, node, holds, what, atMs: this.#world.nowMs });

  get observer(): Observer {
    const { ledgers, links, apps, telemetry, rollouts, census } = this;
    return {
      started: (node) => {
        ledgers.started(node);
        links.started(node);
        apps.started(node);
        this.#changed.add(node.name);
      },
      persisted: (node, writes) => this.#persisted(node, writes),
      performing: (node, effect) => this.rest.performing(node, effect),
      exposed: (node, exposure) => {
        apps.exposed(node, exposure);
        this.#changed.add(node.name);
      },
      woken: (node) => this.work.woken(node),
      stepped: (node) => this.#stepped(node),
      died: (node) => census.died(node),
      failed: (node, thrown) => this.#failed(node, thrown),
      logged: (node, event, message) => this.#logged(node, event, message),
      dialed: (link) => {
        links.dialed(link);
        this.rest.dialed(link);
      },
      confirming: (link, request) => links.confirming(link, request),
      stepping: (event) => {
        if (event.kind === "child-confirmed") links.confirmed(event.request);
      },
      sent: (link, frame) => {
        links.sent(link, frame);
        this.rest.sent(link, frame);
      },
      peerAnswered: (from, to, messages) => this.rest.peerAnswered(from, to, messages),
      handed: (link) => links.handed(link),
      documentAccepted: (link, document) => {
        telemetry.documentAccepted(link, document);
        rollouts.documentAccepted(link, document);
        census.documentAccepted(link, document);
      },
    };
  }

  /** A node's disk was damaged, replaced or taken back by somebody: what it had need not be there. */
  forget(node: string): void {
    this.ledgers.forget(node);
    this.telemetry.forget(node);
    this.trials.forget(node);
    this.census.forget(node);
  }

  /** An app is about to report. */
  reported(node: string, report: ReportRequest): void {
    const { site } = this.#world.get(node).settings;
    this.telemetry.reported(site, report.instance);
    this.trials.reported(site, report);
    const { instance, version } = report;
    this.census.used({ site, instance, what: "version", name: version });
  }

  #persisted(node: SimulatedNode, writes: readonly Write[]): void {
    this.trials.persisted(node, writes);
    this.rollouts.persisted(node, writes);
    const before = new Map<LedgerId, { term: number; seq: number } | undefined>();
    for (const { bucket, key, value } of writes) {
      if (bucket !== "head" || value === undefined) continue;
      before.set(key as LedgerId, this.#highestOf(node, key as LedgerId));
    }
    this.ledgers.persisted(node, writes);
    for (const [id, former] of before) {
      this.#changed.add(node.name);
      this.links.applied(node, id, former);
      if (node.store.get("key", id) !== undefined) this.#keepsAcknowledged(node, id);
    }
    if (writes.some(({ bucket }) => bucket === "trust" || bucket === "beat"))
      this.links.applied(node, undefined, undefined);
  }

  #highestOf(node: SimulatedNode, id: LedgerId): { term: number; seq: number } | undefined {
    return this.ledgers.highest(node.name, id);
  }

  /** What was acknowledged is in every state that is signed after it; some are given back in parts. */
  #keepsAcknowledged(node: SimulatedNode, id: LedgerId): void {
    if (this.ledgers.held(node, id) !== this.truth.newest(id)) return;
    const entries = entriesOf(node, id);
    for (const [key, value] of this.truth.acknowledged.get(id) ?? []) {
      if (this.truth.pending.has(key)) continue;
      const promise = isKill(key, value) ? "U4" : "I1";
      this.hold(
        promise,
        node.name,
        entries.get(key) === value,
        () => `the acknowledged change of ${key} is not in what it signs`,
      );
    }
  }

  #stepped(node: SimulatedNode): void {
    this.work.stepped(node);
    if (this.excused.has(node.name)) return;
    this.apps.stepped(node);
    this.links.stepped(node);
    if (this.#changed.delete(node.name)) this.ledgers.table(node);
    if (this.#world.nowMs > staleAfterMs) this.#freshness(node);
  }

  /** A node may be behind; it may not say that it is not. */
  #freshness(node: SimulatedNode): void {
    const { wallMs } = this.#world.momentOf(node);
    if (node.node.reads.freshness(this.#project, wallMs) !== "FRESH") return;
    const slackMs = labelGraceMs + 2 * this.skewMsMax;
    const sinceMs = this.#world.nowMs - staleAfterMs - slackMs;
    for (const id of this.ledgers.pinned(node)) {
      const held = this.ledgers.held(node, id);
      const due = this.truth.newestAt(id, sinceMs);
      if (held === undefined || due === undefined) continue;
      this.hold(
        "I11",
        node.name,
        comparePositions(held, due) >= 0,
        () =>
          `it calls ${held.term}.${held.seq} FRESH, and ${due.term}.${due.seq} was signed before ${sinceMs} ms`,
      );
    }
  }

  #failed(node: SimulatedNode, thrown: unknown): void {
    const what = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
    this.hold("U6", node.name, false, `a step fails: ${what}`);
  }

  /** A fault that lasts is told now and then, not at each look. */
  #logged(node: SimulatedNode, event: string, message: string): void {
    if (event !== "overlay-ungranted") return;
    const key = `${node.name} ${message}`;
    const count = (this.#log.get(key) ?? 0) + 1;
    this.#log.set(key, count);
    this.hold("I8", node.name, count <= 20, () => `it tells again and again: ${message}`);
  }

  /** Everything that has to be true once all is well again. */
  settled(nodes: readonly SimulatedNode[], grant: PinGrant): void {
    for (const node of nodes) {
      this.ledgers.table(node, grant);
      this.telemetry.counted(node);
      this.#has(node);
    }
    this.hold("U6", "all", true, "");
  }

  #has(node: SimulatedNode): void {
    for (const id of this.ledgers.pinned(node)) {
      const entries = entriesOf(node, id);
      for (const [key, value] of this.truth.acknowledged.get(id) ?? []) {
        const promise = isKill(key, value) ? "U4" : "I1";
        this.hold(
          promise,
          node.name,
          entries.get(key) === value,
          () => `the acknowledged change of ${key} is not there after the calm`,
        );
      }
    }
    const { wallMs } = this.#world.momentOf(node);
    const of = { project: this.#project, flag: "flag-0", instance: "i", version: release };
    node.node.reads.evaluate(of, wallMs);
  }

  /** Why a node has not converged; empty when it has. */
  lack(node: SimulatedNode): string {
    const { wallMs } = this.#world.momentOf(node);
    const freshness = node.node.reads.freshness(this.#project, wallMs);
    const pinned = this.ledgers.pinned(node);
    if (pinned.length === 0) return "it has no project";
    for (const id of pinned) {
      const [held, newest] = [this.ledgers.held(node, id), this.truth.newest(id)];
      if (newest === undefined || held === newest) continue;
      const at = held === undefined ? "nothing" : `${held.term}.${held.seq}`;
      return `it has ${at} of ${id}, and ${newest.term}.${newest.seq} is the newest`;
    }
    return freshness === "FRESH" ? "" : `it is ${freshness}`;
  }
}

function isKill(key: string, value: string | undefined): boolean {
  if (value === undefined || key.startsWith("rule/")) return key.startsWith("rule/kill/");
  if (!key.startsWith("flag/")) return false;
  return fromBinary(FlagSchema, new Uint8Array(Buffer.from(value, "hex"))).kill !== undefined;
}
