import { create } from "@bufbuild/protobuf";
import type { LedgerName } from "../../gen/headwater/v1/ledger_pb.ts";
import {
  type Holding,
  HoldingSchema,
  ReplicateRequestSchema,
  type ReplicateResponse,
} from "../../gen/headwater/v1/mesh_pb.ts";
import type { Dial, Effect } from "../effect.ts";
import type { Moment } from "../event.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { type LedgerId, ledgerId } from "../ledger/position.ts";
import type { Random } from "../random.ts";
import { done, type Outcome } from "../refusal.ts";
import { trustDigest } from "../trust/trusted.ts";
import { protocolVersion } from "./downlinks.ts";
import { type Arrival, Inbox } from "./inbox.ts";
import { Uplink, type UpstreamSettings } from "./uplink.ts";

interface Upstream {
  readonly uplink: Uplink;
  inbox: Inbox;
  /** Ledgers of which something did not check; asked for last, so that no other waits for them. */
  readonly suspects: Set<LedgerId>;
}

/** A child's links, one for each upstream, in the operator's order. */
export class Uplinks {
  readonly #self: { readonly site: string; readonly node: string; readonly nodeId: Uint8Array };
  readonly #ledgers: () => readonly Ledger[];
  readonly #isWritten: (id: LedgerId) => boolean;
  readonly #random: Random;
  readonly #upstreams = new Map<string, Upstream>();

  constructor(of: {
    self: { readonly site: string; readonly node: string; readonly nodeId: Uint8Array };
    ledgers: () => readonly Ledger[];
    /** Whether a ledger's way begins at this node. */
    isWritten: (id: LedgerId) => boolean;
    random: Random;
  }) {
    this.#self = of.self;
    this.#ledgers = of.ledgers;
    this.#isWritten = of.isWritten;
    this.#random = of.random;
  }

  get all(): readonly Uplink[] {
    return [...this.#upstreams.values()].map(({ uplink }) => uplink);
  }

  get dueAtMonoMs(): number | undefined {
    const due = this.all.map((uplink) => uplink.dueAtMonoMs);
    return due.length === 0 ? undefined : Math.min(...due);
  }

  /** Takes the place of a former one with the same id. */
  add(settings: UpstreamSettings, monoMs: number): void {
    const { nodeId } = this.#self;
    const uplink = new Uplink({ settings, nodeId, random: this.#random, monoMs });
    this.#upstreams.set(settings.id, { uplink, inbox: new Inbox(new Map()), suspects: new Set() });
  }

  /** The first listed upstream that serves a ledger: its primary. What is written here has none. */
  primaryOf(id: LedgerId): Uplink | undefined {
    if (this.#isWritten(id)) return undefined;
    return this.all.find((uplink) => uplink.serves(id));
  }

  tick(at: Moment): Effect[] {
    return [...this.#upstreams.values()].flatMap((upstream) => {
      const due = upstream.uplink.tick(at.monoMs);
      if (due === undefined) return [];
      if ("hangUp" in due) return this.end(upstream.uplink.settings.id, due.hangUp, at.monoMs);
      return [this.#dial(upstream, due.dial)];
    });
  }

  /** A frame that is about the link is dealt with; one about a ledger is checked and handed on. */
  hear(
    id: string,
    frame: ReplicateResponse["frame"],
    at: Moment,
  ): { arrival: Outcome<Arrival>; effects: Effect[] } {
    const nothing = { arrival: done<Arrival>({ kind: "partial" }), effects: [] as Effect[] };
    const upstream = this.#upstreams.get(id);
    if (upstream === undefined || upstream.uplink.state.kind === "waiting") return nothing;
    const { uplink, inbox } = upstream;
    uplink.heard(at.monoMs);
    if (frame.case === "welcome") uplink.welcomed(frame.value, at.monoMs);
    if (frame.case === "offer") uplink.offered(frame.value);
    if (frame.case === "goodbye") {
      uplink.goodbye(frame.value, at.monoMs);
      return { ...nothing, effects: [{ kind: "hang-up", upstream: id }] };
    }
    const arrival = inbox.hear(frame, at.wallMs);
    const name = arrival.ok ? undefined : ledgerNameOf(frame);
    if (name !== undefined) upstream.suspects.add(ledgerId(name));
    return { arrival, effects: [] };
  }

  /** What an upstream sent was applied, and is durable. */
  applied(id: string): void {
    this.#upstreams.get(id)?.uplink.applied();
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

  /**
   * A ledger that is written here is asked for, too, in case somebody else has taken it over; but
   * only of those who know of it, since nobody else is to learn that it exists.
   */
  #isAskedOf({ projects, ledgers }: UpstreamSettings, { id, name }: Ledger): boolean {
    if (this.#isWritten(id)) return ledgers?.has(id) ?? false;
    return projects === undefined || projects.includes(name.project);
  }

  #dial(upstream: Upstream, address: string): Effect {
    const { id, certificate, credential } = upstream.uplink.settings;
    const isSuspect = (ledger: Ledger): number => (upstream.suspects.has(ledger.id) ? 1 : 0);
    const wanted = this.#ledgers()
      .filter((ledger) => this.#isAskedOf(upstream.uplink.settings, ledger))
      .sort((a, b) => isSuspect(a) - isSuspect(b));
    upstream.suspects.clear();
    upstream.inbox = new Inbox(new Map(wanted.map((ledger) => [ledger.id, ledger])));
    const { site, node, nodeId } = this.#self;
    const request = create(ReplicateRequestSchema, {
      protocol: protocolVersion,
      site,
      node,
      nodeId,
      holdings: wanted.map(holdingOf),
    });
    const dial: Dial = { upstream: id, address, certificate, credential, request };
    return { kind: "dial", dial };
  }
}

/** The ledger that a frame is about, if it is about one. */
function ledgerNameOf(frame: ReplicateResponse["frame"]): LedgerName | undefined {
  switch (frame.case) {
    case "trustUpdate":
    case "snapshotBegin":
    case "snapshotChunk":
    case "snapshotEnd":
    case "delta":
      return frame.value.ledger;
    case "welcome":
    case "offer":
    case "heartbeat":
    case "goodbye":
    case undefined:
      return undefined;
  }
}

/** What is held of a ledger, as one tells another node. */
export function holdingOf(ledger: Ledger): Holding {
  return create(HoldingSchema, {
    ledger: { authority: ledger.name.authority, project: ledger.name.project },
    trustDigest: trustDigest(ledger.trusted),
    ...(ledger.position && { position: ledger.position }),
  });
}
