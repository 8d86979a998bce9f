import { create, fromBinary } from "@bufbuild/protobuf";
import type { Trust } from "../../gen/headwater/v1/ledger_pb.ts";
import {
  type GiveBackRequest,
  GiveBackRequestSchema,
  type Offer,
  ReplicateResponseSchema,
  type SnapshotBegin,
  type TrustUpdate,
} from "../../gen/headwater/v1/mesh_pb.ts";
import { readHead } from "../ledger/head.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { comparePositions, type LedgerId, ledgerId } from "../ledger/position.ts";
import { returnsCountMax } from "../limits.ts";
import { done, type Outcome } from "../refusal.ts";
import { toHex } from "../trust/key.ts";
import type { Trusted } from "../trust/trusted.ts";
import type { Served } from "./downlink.ts";
import { type Arrival, Inbox } from "./inbox.ts";
import { framesAfter } from "./ledger-frames.ts";

/**
 * What a child gives back to the parent that writes a ledger and is behind it: everything that the
 * parent has lost. A way of one hop begins at the parent itself; others have parents to ask.
 */
export function givingBack(of: {
  node: string;
  offer: Offer;
  served: ReadonlyMap<LedgerId, Served>;
}): GiveBackRequest[] {
  const { node, served } = of;
  const { ledger: name, outcome, hops, position } = of.offer;
  const held = name === undefined ? undefined : served.get(ledgerId(name));
  if (held === undefined || outcome !== "BEHIND" || hops.length !== 1) return [];
  const trustDigest = new Uint8Array(0);
  const holding = position === undefined ? { trustDigest } : { trustDigest, position };
  return framesAfter(held, holding).map((frame) => create(GiveBackRequestSchema, { node, frame }));
}

/**
 * Roots and grants that the parent at which a ledger's way begins has lost: where nothing was signed
 * since they came it is behind in nothing else, and would go on without them.
 */
export function givingBackTrust(of: {
  node: string;
  update: TrustUpdate;
  hops: readonly Uint8Array[];
  served: ReadonlyMap<LedgerId, Served>;
}): GiveBackRequest[] {
  const { ledger: name, trust } = of.update;
  const held = name === undefined ? undefined : of.served.get(ledgerId(name));
  const trusted = held?.ledger.trusted;
  const bytes = held?.frames.trust();
  if (trusted === undefined || bytes === undefined || of.hops.length !== 1) return [];
  if (trust === undefined || !isLess(trust, trusted)) return [];
  const frame = fromBinary(ReplicateResponseSchema, bytes);
  return [create(GiveBackRequestSchema, { node: of.node, frame })];
}

/** Whether roots, or grants of the newest, are held that are not in these. */
function isLess({ roots, grants }: Trust, held: Trusted): boolean {
  if (roots.length !== held.roots.length) return roots.length < held.roots.length;
  const theirs = new Set(grants.map(({ payload }) => toHex(payload)));
  return held.grants.some(({ envelope }) => !theirs.has(toHex(envelope.payload)));
}

/**
 * What children give back, each child's frames by themselves. Checked like any other frame, and
 * only of ledgers whose way begins here. One that nothing is held of, as its disk was damaged, could be
 * made to forget what it was at by a child that is behind.
 */
export class Returns {
  readonly #inboxes = new Map<string, Inbox>();
  readonly #served: () => ReadonlyMap<LedgerId, Served>;

  constructor(served: () => ReadonlyMap<LedgerId, Served>) {
    this.#served = served;
  }

  /** @param child whose frames follow each other, as `<site>/<node>` */
  hear(child: string, { frame: given }: GiveBackRequest, wallMs: number): Outcome<Arrival> {
    const frame = given?.frame ?? { case: undefined };
    // A child that goes on with it for ever would fill this node with what it holds.
    if (frame.case === "snapshotBegin" && this.#isHeld(frame.value)) return done({ kind: "known" });
    const inbox = this.#inboxes.get(child) ?? new Inbox(this.#ledgers());
    this.#inboxes.delete(child);
    const arrival = inbox.hear(frame, wallMs);
    // Only a snapshot under way is remembered.
    if (arrival.ok && arrival.value.kind === "partial" && inbox.isWaiting) this.#keep(child, inbox);
    return arrival;
  }

  /** Whether a snapshot says itself that it is no newer than what is here. */
  #isHeld({ ledger: name, head }: SnapshotBegin): boolean {
    const held = name && this.#served().get(ledgerId(name))?.ledger;
    if (held?.position === undefined || head === undefined) return false;
    const read = readHead(head, held.name);
    return read.ok && comparePositions(read.value.position, held.position) <= 0;
  }

  #keep(child: string, inbox: Inbox): void {
    this.#inboxes.set(child, inbox);
    const [oldest] = this.#inboxes.keys();
    if (this.#inboxes.size > returnsCountMax && oldest !== undefined) this.#inboxes.delete(oldest);
  }

  #ledgers(): ReadonlyMap<LedgerId, Ledger> {
    const own = [...this.#served()].filter(
      ([, { hops, ledger }]) => hops.length === 1 && ledger.head !== undefined,
    );
    return new Map(own.map(([id, { ledger }]) => [id, ledger]));
  }
}
