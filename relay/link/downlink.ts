import { create } from "@bufbuild/protobuf";
import type { Envelope, Position } from "../../gen/headwater/v1/ledger_pb.ts";
import {
  HeartbeatSchema,
  OfferSchema,
  type ReplicateRequest,
} from "../../gen/headwater/v1/mesh_pb.ts";
import type { Flushed, LinkId } from "../event.ts";
import type { SignedBeat } from "../ledger/head.ts";
import type { Ledger } from "../ledger/ledger.ts";
import {
  comparePositions,
  type LedgerId,
  type LedgerNameLike,
  ledgerId,
  samePosition,
} from "../ledger/position.ts";
import { linkFramesInFlightMax } from "../limits.ts";
import { bytesEqual } from "../trust/key.ts";
import { trustDigest } from "../trust/trusted.ts";
import { encodeFrame, type LedgerFrames } from "./ledger-frames.ts";

/** What a node serves of a ledger: the state, its frames, and the way it came. */
export interface Served {
  readonly ledger: Ledger;
  readonly frames: LedgerFrames;
  /** Node ids from the writer to this node, itself included. */
  readonly hops: readonly Uint8Array[];
}

type OfferKind = "SERVED" | "EMPTY" | "BEHIND" | "DENIED";

/** The way of a ledger that is not served. */
const nowhere: readonly Uint8Array[] = [];
const noHop = new Uint8Array(0);

interface Sent {
  readonly name: LedgerNameLike;
  /** Where the child stands once it has taken all that was sent. */
  position: Position | undefined;
  trustDigest: Uint8Array;
  /** The last one, not how new it is: a clock that is set right makes the next one older. */
  beat: SignedBeat | undefined;
  offer: { readonly kind: OfferKind; readonly hops: readonly Uint8Array[] } | undefined;
  /** The one it is being sent, by its position, and the frame of it that is next. */
  snapshot: { readonly position: Position; next: number } | undefined;
}

/**
 * The parent's end of a link. It has no queue: it knows what was sent, and whenever the transport
 * has room it works out the one frame that is due next. So a slow child costs nothing but its own
 * delay, and is brought forward in one step however much has happened meanwhile.
 */
export class Downlink {
  readonly id: LinkId;
  readonly site: string;
  readonly node: string;
  readonly nodeId: Uint8Array;
  readonly #sent = new Map<LedgerId, Sent>();
  readonly #confirmed = new Map<LedgerId, Position>();
  /** Whether more was due when there was no room for it; else nothing is until something changes. */
  isBehind = true;
  #framesInFlight = 0;
  #bytesInFlight = 0;
  /** Monotonic milliseconds of the last frame. */
  sentAtMonoMs: number;
  /** Since when the transport has taken nothing of what it was handed. */
  #stuckSinceMonoMs: number | undefined;

  constructor(of: { id: LinkId; site: string; request: ReplicateRequest; monoMs: number }) {
    this.id = of.id;
    this.site = of.site;
    this.node = of.request.node;
    this.nodeId = of.request.nodeId;
    this.sentAtMonoMs = of.monoMs;
    this.serveAnew(of.request.holdings);
    this.confirmed(of.request.holdings);
  }

  /** What the child says that it has made durable. */
  get positions(): { name: LedgerNameLike; position: Position | undefined }[] {
    return [...this.#sent].map(([id, { name }]) => ({ name, position: this.#confirmed.get(id) }));
  }

  /** Of ledgers that it did not ask for, a child has nothing to say. */
  confirmed(holdings: ReplicateRequest["holdings"]): void {
    for (const { ledger, position } of holdings) {
      if (ledger === undefined || position === undefined) continue;
      const id = ledgerId(ledger);
      if (this.#sent.has(id)) this.#confirmed.set(id, position);
    }
  }

  /** Ledgers are served from these positions, with all that belongs to them. */
  serveAnew(holdings: ReplicateRequest["holdings"]): void {
    for (const { ledger, position, trustDigest } of holdings) {
      if (ledger === undefined) continue;
      this.#sent.set(ledgerId(ledger), {
        name: ledger,
        position,
        trustDigest,
        beat: undefined,
        offer: undefined,
        snapshot: undefined,
      });
    }
  }

  get ledgersCount(): number {
    return this.#sent.size;
  }

  /** Ledgers that it is being sent whole. */
  get snapshots(): LedgerId[] {
    return [...this.#sent].flatMap(([id, { snapshot }]) => (snapshot === undefined ? [] : [id]));
  }

  hasRoom(bytesMax: number): boolean {
    return this.#framesInFlight < linkFramesInFlightMax && this.#bytesInFlight < bytesMax;
  }

  handed(frame: Uint8Array, monoMs: number): void {
    this.#framesInFlight++;
    this.#bytesInFlight += frame.length;
    this.sentAtMonoMs = monoMs;
    this.#stuckSinceMonoMs ??= monoMs;
  }

  flushed({ framesCount, bytes }: Flushed, monoMs: number): void {
    this.#framesInFlight = Math.max(0, this.#framesInFlight - framesCount);
    this.#bytesInFlight = Math.max(0, this.#bytesInFlight - bytes);
    this.#stuckSinceMonoMs = this.#framesInFlight === 0 ? undefined : monoMs;
  }

  /** Monotonic milliseconds since when it takes nothing; undefined while it does. */
  get stuckSinceMonoMs(): number | undefined {
    return this.#stuckSinceMonoMs;
  }

  /**
   * The frame that is due next, undefined when the child has everything. Small things of all
   * ledgers go before the next part of a snapshot, so that no ledger waits for a large one.
   */
  next(served: ReadonlyMap<LedgerId, Served>): Uint8Array | undefined {
    const mayBegin = !this.#isMidSnapshot(served);
    for (const [id, sent] of this.#sent) {
      if (sent.snapshot !== undefined) continue;
      const frame = this.#nextOf(sent, served.get(id), mayBegin);
      if (frame !== undefined) return frame;
    }
    return this.#nextBeats(served) ?? this.#nextOfSnapshots(served);
  }

  /** Only after everything before it was handed over, so it vouches for all of that. */
  heartbeat(): Uint8Array {
    return encodeFrame({ case: "heartbeat", value: create(HeartbeatSchema) });
  }

  /**
   * Asked for with each frame, so it makes no list. Who was on a snapshot that is kept no longer begins
   * again, with the roots and grants that go before the newest.
   */
  #isMidSnapshot(served: ReadonlyMap<LedgerId, Served>): boolean {
    for (const [id, sent] of this.#sent) {
      if (sent.snapshot === undefined) continue;
      if (served.get(id)?.frames.snapshotAt(sent.snapshot.position) !== undefined) return true;
      sent.snapshot = undefined;
    }
    return false;
  }

  #nextOfSnapshots(served: ReadonlyMap<LedgerId, Served>): Uint8Array | undefined {
    for (const [id, sent] of this.#sent) {
      const frames = served.get(id)?.frames;
      const frame = frames === undefined ? undefined : nextOfSnapshot(sent, frames);
      if (frame !== undefined) return frame;
    }
    return undefined;
  }

  #nextOf(sent: Sent, served: Served | undefined, mayBegin: boolean): Uint8Array | undefined {
    const kind = offerKindOf(sent, served);
    const hops = served?.hops ?? nowhere;
    if (sent.offer?.kind !== kind || !isSameWay(sent.offer.hops, hops)) {
      sent.offer = { kind, hops };
      const ledger = { authority: sent.name.authority, project: sent.name.project };
      const outcome = kind === "SERVED" ? startOf(sent, served) : kind;
      const position = kind === "BEHIND" ? served?.ledger.position : undefined;
      const value = create(OfferSchema, {
        ledger,
        outcome,
        hops: [...hops],
        ...(position && { position }),
      });
      return encodeFrame({ case: "offer", value });
    }
    if (served === undefined || kind === "DENIED" || kind === "EMPTY") return undefined;
    if (kind === "BEHIND") return nextTrust(sent, served);
    return nextTrust(sent, served) ?? nextEntries(sent, served, mayBegin);
  }

  #nextBeats(served: ReadonlyMap<LedgerId, Served>): Uint8Array | undefined {
    const beats: { ledger: LedgerNameLike; beat: Envelope }[] = [];
    for (const [id, sent] of this.#sent) {
      const { ledger, frames } = served.get(id) ?? {};
      const position = ledger?.position;
      if (ledger?.beat === undefined || position === undefined) continue;
      if (ledger.beat === sent.beat || frames?.beat === undefined) continue;
      if (sent.position === undefined || !samePosition(sent.position, position)) continue;
      sent.beat = ledger.beat;
      const name = { authority: sent.name.authority, project: sent.name.project };
      beats.push({ ledger: name, beat: ledger.beat.envelope });
    }
    if (beats.length === 0) return undefined;
    return encodeFrame({ case: "heartbeat", value: create(HeartbeatSchema, { beats }) });
  }
}

/** Asked for whenever anything happens on any link, and hardly ever another. */
export function isSameWay(a: readonly Uint8Array[], b: readonly Uint8Array[]): boolean {
  if (a === b) return true;
  return a.length === b.length && a.every((hop, at) => bytesEqual(hop, b[at] ?? noHop));
}

/** What a parent can do for a child now; how it starts to serve it is `RESUME` or `SNAPSHOT`. */
function offerKindOf(sent: Sent, served: Served | undefined): OfferKind {
  if (served === undefined) return "DENIED";
  const position = served.ledger.position;
  if (position === undefined) return "EMPTY";
  const isAhead = sent.position !== undefined && comparePositions(sent.position, position) > 0;
  return isAhead ? "BEHIND" : "SERVED";
}

function startOf(sent: Sent, served: Served | undefined): "RESUME" | "SNAPSHOT" {
  const position = served?.ledger.position;
  if (sent.position === undefined || position === undefined) return "SNAPSHOT";
  if (samePosition(sent.position, position)) return "RESUME";
  return served?.frames.delta(sent.position) === undefined ? "SNAPSHOT" : "RESUME";
}

function nextTrust(sent: Sent, { ledger, frames }: Served): Uint8Array | undefined {
  const digest = trustDigest(ledger.trusted);
  if (bytesEqual(sent.trustDigest, digest)) return undefined;
  sent.trustDigest = digest;
  return frames.trust();
}

function nextEntries(
  sent: Sent,
  { ledger, frames }: Served,
  mayBegin: boolean,
): Uint8Array | undefined {
  const position = ledger.position;
  if (position === undefined) return undefined;
  if (sent.position !== undefined && samePosition(sent.position, position)) return undefined;
  if (!frames.isGranted) return undefined;
  if (sent.position !== undefined) {
    const delta = frames.delta(sent.position);
    if (delta !== undefined) {
      sent.position = position;
      return delta;
    }
  }
  const snapshot = mayBegin ? frames.snapshot() : undefined;
  if (snapshot === undefined) return undefined;
  sent.snapshot = { position: snapshot.position, next: 0 };
  return nextOfSnapshot(sent, frames);
}

function nextOfSnapshot(sent: Sent, frames: LedgerFrames): Uint8Array | undefined {
  if (sent.snapshot === undefined) return undefined;
  const { position, next } = sent.snapshot;
  const snapshot = frames.snapshotAt(position);
  if (snapshot === undefined) return undefined;
  const isLast = next + 1 >= snapshot.frames.length;
  if (isLast) sent.position = position;
  sent.snapshot = isLast ? undefined : { position, next: next + 1 };
  return snapshot.frames[next];
}
