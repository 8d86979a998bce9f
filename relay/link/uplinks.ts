import { create } from "@bufbuild/protobuf";
import {
  ConfirmRequestSchema,
  type Offer,
  ReplicateRequestSchema,
  type ReplicateResponse,
} from "../../gen/headwater/v1/mesh_pb.ts";
import { askAgainIntervalMs, redialIntervalMs, stalledAfterMs } from "../cadence.ts";
import { type Dial, type Effect, logged } from "../effect.ts";
import type { Moment } from "../event.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { type LedgerId, ledgerId } from "../ledger/position.ts";
import type { Random } from "../random.ts";
import { ledgerNameOf, ledgersOf, withoutLedgers } from "./frame-ledgers.ts";
import { type Arrival, Inbox, type Trouble, textOf, wrong } from "./inbox.ts";
import { protocolOfAgain, protocolVersion } from "./protocol.ts";
import { Uplink, type UpstreamSettings } from "./uplink.ts";

interface Upstream {
  readonly uplink: Uplink;
  inbox: Inbox;
  /** Snapshots on their way in, with the monotonic milliseconds of their last part. */
  readonly partial: Map<LedgerId, number>;
  askedAtMonoMs: number;
}

/** A child's links, one for each upstream, in the operator's order. */
export class Uplinks {
  readonly #self: { readonly site: string; readonly node: string; readonly nodeId: Uint8Array };
  readonly #ledgers: () => readonly Ledger[];
  readonly #isWritten: (id: LedgerId) => boolean;
  readonly #voucherOf: (project: string) => string;
  readonly #random: Random;
  readonly #upstreams = new Map<string, Upstream>();

  constructor(of: {
    self: { readonly site: string; readonly node: string; readonly nodeId: Uint8Array };
    ledgers: () => readonly Ledger[];
    /** Whether a ledger's way begins at this node. */
    isWritten: (id: LedgerId) => boolean;
    /** The application that a library is followed for; empty for none. */
    voucherOf: (project: string) => string;
    random: Random;
  }) {
    this.#self = of.self;
    this.#ledgers = of.ledgers;
    this.#isWritten = of.isWritten;
    this.#voucherOf = of.voucherOf;
    this.#random = of.random;
  }

  get all(): readonly Uplink[] {
    return [...this.#upstreams.values()].map(({ uplink }) => uplink);
  }

  get dueAtMonoMs(): number | undefined {
    const due = [...this.#upstreams.values()].map(dueOf);
    return due.length === 0 ? undefined : Math.min(...due);
  }

  /** Takes the place of a former one with the same id. */
  add(settings: UpstreamSettings, monoMs: number): void {
    const { nodeId } = this.#self;
    const uplink = new Uplink({ settings, nodeId, random: this.#random, monoMs });
    this.#upstreams.set(settings.id, {
      uplink,
      inbox: new Inbox(new Map()),
      partial: new Map(),
      askedAtMonoMs: Number.NEGATIVE_INFINITY,
    });
  }

  /** The first listed upstream that serves a ledger: its primary. What is written here has none. */
  primaryOf(id: LedgerId): Uplink | undefined {
    if (this.#isWritten(id)) return undefined;
    return this.all.find((uplink) => uplink.serves(id));
  }

  tick(at: Moment): Effect[] {
    return [...this.#upstreams.values()].flatMap((upstream) => {
      const due = upstream.uplink.tick(at.monoMs);
      if (due === undefined)
        return [...this.#stalled(upstream, at.monoMs), ...this.#askAgain(upstream, at.monoMs)];
      if ("hangUp" in due) return this.end(upstream.uplink.settings.id, due.hangUp, at.monoMs);
      return [this.#dial(upstream, due.dial, at.monoMs)];
    });
  }

  /** A frame that is about the link is dealt with; one about a ledger is checked and handed on. */
  hear(
    id: string,
    frame: ReplicateResponse["frame"],
    at: Moment,
  ): { arrival: Arrival; effects: Effect[] } {
    const upstream = this.#upstreams.get(id);
    if (upstream === undefined || upstream.uplink.state.kind === "waiting") return nothing([]);
    upstream.uplink.heard(at.monoMs);
    switch (frame.case) {
      case "welcome": {
        if (upstream.uplink.isWelcome) return this.#idled(upstream, at);
        const problem = upstream.uplink.welcomed(frame.value);
        return nothing(problem === undefined ? [] : this.#leave(id, problem, at.monoMs));
      }
      case "offer":
        return this.#offered(upstream, frame.value, at);
      case "goodbye":
        upstream.uplink.goodbye(frame.value, at.monoMs);
        return nothing([
          { kind: "hang-up", upstream: id },
          logged("info", "upstream-goodbye", `${id}: ${upstream.uplink.problem}`),
        ]);
      case "trustUpdate":
      case "snapshotBegin":
      case "snapshotChunk":
      case "snapshotEnd":
      case "delta":
      case "heartbeat":
      case undefined:
        return this.#hearLedger(upstream, frame, at);
    }
  }

  /** What an upstream sent of these ledgers was applied, and is durable. */
  applied(id: string, ledgers: readonly Ledger[]): void {
    const uplink = this.#upstreams.get(id)?.uplink;
    uplink?.applied();
    for (const ledger of ledgers) uplink?.bars.applied(ledger.id);
  }

  /** Nothing more of a ledger is heard from an upstream for a while; its others go on. */
  bar(id: string, { ledger, why, isWrong }: Trouble, monoMs: number): Effect[] {
    const upstream = this.#upstreams.get(id);
    if (upstream === undefined) return [];
    upstream.inbox.drop(ledger.id);
    upstream.partial.delete(ledger.id);
    const waitMs = upstream.uplink.bars.bar(ledger.id, why, monoMs);
    const what = isWrong ? "what does not check" : "what does not join";
    const message = `${id} sent ${what} of ${ledger.name.project}: ${why}; it is asked again in ${(waitMs / 1_000).toFixed(1)} s`;
    return [
      logged(isWrong ? "warn" : "info", isWrong ? "ledger-barred" : "ledger-resync", message),
    ];
  }

  /** Hangs up, to dial again after a while. */
  end(id: string, why: string, monoMs: number): Effect[] {
    const uplink = this.#upstreams.get(id)?.uplink;
    if (uplink === undefined || uplink.state.kind === "waiting") return [];
    uplink.ended(why, monoMs);
    return [{ kind: "hang-up", upstream: id }];
  }

  /** The link is gone already. */
  closed(id: string, why: string, monoMs: number): void {
    const uplink = this.#upstreams.get(id)?.uplink;
    if (uplink !== undefined && uplink.state.kind !== "waiting") uplink.ended(why, monoMs);
  }

  #hearLedger(
    upstream: Upstream,
    frame: ReplicateResponse["frame"],
    at: Moment,
  ): { arrival: Arrival; effects: Effect[] } {
    const { uplink, inbox } = upstream;
    const name = ledgerNameOf(frame);
    const ledger = name && inbox.ledger(name);
    if (ledger !== undefined && uplink.bars.isDeaf(ledger.id)) return this.#idled(upstream, at);
    const heard = inbox.hear(
      withoutLedgers(frame, (id) => uplink.bars.isDeaf(id)),
      at.wallMs,
    );
    if (!heard.ok) {
      if (ledger === undefined) return nothing([]);
      const effects = this.bar(uplink.settings.id, wrong(ledger, textOf(heard.refusal)), at.monoMs);
      // A parent whose history is damaged would send the same again, whenever it is asked.
      if (frame.case === "delta") uplink.bars.wantWhole(ledger.id);
      return nothing(effects);
    }
    if (frame.case === "snapshotBegin" || frame.case === "snapshotChunk") {
      if (ledger !== undefined && inbox.isAssembling(ledger.id))
        upstream.partial.set(ledger.id, at.monoMs);
    } else if (frame.case === "snapshotEnd" && ledger !== undefined)
      upstream.partial.delete(ledger.id);
    if (heard.value.kind === "known" || frame.case === undefined) {
      for (const one of ledgersOf(frame)) uplink.bars.checked(ledgerId(one));
      return this.#idled(upstream, at);
    }
    return { arrival: heard.value, effects: [] };
  }

  /** Who goes on sending what comes to nothing takes the time of others. */
  #idled(upstream: Upstream, at: Moment): { arrival: Arrival; effects: Effect[] } {
    return upstream.uplink.idled(at.monoMs) ? nothing([]) : this.#flooded(upstream, at);
  }

  #flooded({ uplink }: Upstream, { monoMs }: Moment): { arrival: Arrival; effects: Effect[] } {
    const why = "it floods this node with frames of no use";
    return nothing(this.#leave(uplink.settings.id, why, monoMs));
  }

  #offered(upstream: Upstream, offer: Offer, at: Moment): { arrival: Arrival; effects: Effect[] } {
    const { uplink, inbox } = upstream;
    const ledger = offer.ledger && inbox.ledger(offer.ledger);
    if (ledger === undefined) return this.#idled(upstream, at);
    const isDue = uplink.isOfferDue(ledger.id);
    const problem = uplink.offered(offer);
    if (isDue && problem === undefined) return nothing([]);
    if (!uplink.reoffered(at.monoMs)) return this.#flooded(upstream, at);
    if (problem === undefined) return nothing([]);
    return nothing(this.bar(uplink.settings.id, wrong(ledger, problem), at.monoMs));
  }

  #leave(id: string, why: string, monoMs: number): Effect[] {
    const ended = this.end(id, why, monoMs);
    return [...ended, logged("warn", "upstream-left", `${id}: ${why}`)];
  }

  /** Snapshots of which nothing comes any more. */
  #stalled(upstream: Upstream, monoMs: number): Effect[] {
    return [...upstream.partial].flatMap(([id, heardAtMonoMs]) => {
      const ledger = upstream.inbox.byId(id);
      if (ledger === undefined || monoMs < heardAtMonoMs + stalledAfterMs) return [];
      const trouble = { ledger, why: "its snapshot has stopped midway", isWrong: false };
      return this.bar(upstream.uplink.settings.id, trouble, monoMs);
    });
  }

  /** Ledgers whose bars end are served anew, without anything that is served of others. */
  #askAgain(upstream: Upstream, monoMs: number): Effect[] {
    const { uplink } = upstream;
    const { state, bars, settings } = uplink;
    if (state.kind !== "open" || monoMs < upstream.askedAtMonoMs + askAgainIntervalMs) return [];
    const due = bars.due(monoMs);
    if (due.length === 0) return [];
    if (state.protocol < protocolOfAgain) {
      if (!uplink.mayRedial(monoMs)) return [];
      return this.end(settings.id, `asked anew for ${due.length} ledgers`, monoMs);
    }
    upstream.askedAtMonoMs = monoMs;
    const wanted = new Map(this.#wantedOf(upstream).map((ledger) => [ledger.id, ledger]));
    const again = due.flatMap((id) => {
      const ledger = wanted.get(id);
      if (ledger === undefined) bars.applied(id);
      else bars.asked(id, monoMs);
      return ledger === undefined ? [] : [bars.holdingOf(ledger)];
    });
    if (again.length === 0) return [];
    const request = create(ConfirmRequestSchema, { node: this.#self.node, again });
    return [{ kind: "confirm", upstream: settings.id, request }];
  }

  /**
   * A ledger that is written here is asked for, too, in case somebody else has taken it over; but
   * only of those who know of it, since nobody else is to learn that it exists.
   */
  #wantedOf({ uplink: { settings } }: Upstream): Ledger[] {
    const { projects, ledgers } = settings;
    return this.#ledgers().filter(({ id, name }) =>
      this.#isWritten(id)
        ? (ledgers?.has(id) ?? false)
        : projects === undefined ||
          projects.includes(name.project) ||
          projects.includes(this.#voucherOf(name.project)),
    );
  }

  #dial(upstream: Upstream, address: string, monoMs: number): Effect {
    const { bars, settings } = upstream.uplink;
    const wanted = this.#wantedOf(upstream);
    upstream.inbox = new Inbox(new Map(wanted.map((ledger) => [ledger.id, ledger])));
    upstream.partial.clear();
    const asked = wanted.filter(({ id }) => !bars.isWaiting(id, monoMs));
    for (const { id } of asked) bars.asked(id, monoMs);
    const { site, node, nodeId } = this.#self;
    const request = create(ReplicateRequestSchema, {
      protocol: protocolVersion,
      site,
      node,
      nodeId,
      holdings: asked.map((ledger) => bars.holdingOf(ledger)),
    });
    const { id, certificate, credential } = settings;
    const dial: Dial = { upstream: id, address, certificate, credential, request };
    return { kind: "dial", dial };
  }
}

function nothing(effects: Effect[]): { arrival: Arrival; effects: Effect[] } {
  return { arrival: { kind: "partial" }, effects };
}

function dueOf({ uplink, partial, askedAtMonoMs }: Upstream): number {
  const { state, bars, dueAtMonoMs } = uplink;
  if (state.kind !== "open") return dueAtMonoMs;
  const earliestMs =
    state.protocol < protocolOfAgain
      ? state.sinceMonoMs + redialIntervalMs
      : askedAtMonoMs + askAgainIntervalMs;
  const stalledMs = Math.min(...partial.values()) + stalledAfterMs;
  return Math.min(dueAtMonoMs, Math.max(bars.dueAtMonoMs, earliestMs), stalledMs);
}
