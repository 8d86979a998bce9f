import { fromBinary } from "@bufbuild/protobuf";
import { BeatSchema, EnvelopeSchema, type LedgerName } from "../../gen/headwater/v1/ledger_pb.ts";
import type { ConfirmRequest, Offer } from "../../gen/headwater/v1/mesh_pb.ts";
import { comparePositions, type LedgerId, ledgerId } from "../../relay/ledger/position.ts";
import { linkBytesInFlightMax, linkFramesInFlightMax } from "../../relay/limits.ts";
import { toHex } from "../../relay/trust/key.ts";
import type { Hold } from "./checks.ts";
import { ChunkChecks } from "./chunk-checks.ts";
import { decodeFrame, positionOf, type TermSeq } from "./decoded.ts";
import { DialChecks } from "./dial-checks.ts";
import { hasRoom, type Link } from "./link.ts";
import type { SimulatedNode } from "./simulated-node.ts";
import type { Truth } from "./truth.ts";
import type { World } from "./world.ts";

/** What was sent of one ledger on one link. */
interface Sent {
  /** Where the child stands once it has all of it. */
  at: TermSeq | undefined;
  snapshot: TermSeq | undefined;
}

/** Looks at what parents hand to their links. */
export class LinkChecks {
  readonly #world: World;
  readonly #truth: Truth;
  readonly #hold: Hold;
  readonly #sent = new Map<Link, Map<LedgerId, Sent>>();
  /** The link that a confirmation came by. */
  readonly #confirming = new WeakMap<ConfirmRequest, Link>();
  readonly #chunks: ChunkChecks;
  /** Links whose parent has said that it serves them. */
  readonly #served = new Set<Link>();
  readonly #dials: DialChecks;
  readonly #advanced = new Map<string, Map<LedgerId, TermSeq>>();

  constructor(of: { world: World; truth: Truth; hold: Hold }) {
    this.#world = of.world;
    this.#truth = of.truth;
    this.#hold = of.hold;
    this.#chunks = new ChunkChecks(of);
    this.#dials = new DialChecks(of);
  }

  started(node: SimulatedNode): void {
    this.#chunks.forget(node.name);
    this.#advanced.delete(node.name);
    this.#dials.forget(node.name);
  }

  dialed(link: Link): void {
    this.#dials.dialed(link);
    this.#sent.set(link, sentFrom(link.request.holdings));
  }

  /** A child confirms; its parent hears of it now, or later if it is paused. */
  confirming(link: Link, request: ConfirmRequest): void {
    this.#confirming.set(request, link);
  }

  /** A parent has heard of it: some ledgers are served anew, from what the child holds of them. */
  confirmed(request: ConfirmRequest): void {
    const link = this.#confirming.get(request);
    const now =
      link &&
      [...this.#served].findLast(
        (one) => one.parent === link.parent && one.parentOpen && this.#isSame(one, link),
      );
    const sent = now && this.#sent.get(now);
    for (const [id, fresh] of sentFrom(request.again)) sent?.set(id, fresh);
  }

  /** Something that came was applied, so that the next failure is the first again. */
  applied(node: SimulatedNode, id: LedgerId | undefined, before: TermSeq | undefined): void {
    this.#dials.forget(node.name);
    if (id === undefined || before === undefined) return;
    const advanced = this.#advanced.get(node.name) ?? new Map<LedgerId, TermSeq>();
    if (!advanced.has(id)) advanced.set(id, before);
    this.#advanced.set(node.name, advanced);
  }

  handed(link: Link): void {
    const isBounded =
      // A farewell is said whether there is room or not.
      link.framesInFlight <= linkFramesInFlightMax + 1 &&
      link.bytesInFlight <= linkBytesInFlightMax + 2 * linkBytesInFlightMax;
    this.#hold(
      "I9",
      link.parent,
      isBounded,
      () => `${link.framesInFlight} frames of ${link.bytesInFlight} bytes wait for ${link.child}`,
    );
  }

  sent(link: Link, bytes: Uint8Array): void {
    const frame = decodeFrame(bytes);
    switch (frame.case) {
      case "welcome":
        return this.#welcomed(link);
      case "offer":
        return this.#offered(link, frame.value);
      case "delta":
        return this.#deltaSent(link, frame.value.ledger, frame.value.head);
      case "snapshotBegin":
        return this.#begun(link, frame.value.ledger, frame.value.head);
      case "snapshotChunk":
        return this.#chunkSent(link, frame.value, bytes);
      case "snapshotEnd":
        return this.#ended(link, frame.value.ledger);
      case "heartbeat":
        return this.#beaten(link, frame.value.beats);
      case "trustUpdate":
      case "goodbye":
      case undefined:
        return;
    }
  }

  /** After a step in which a node came forward: every child that has room was told at once. */
  stepped(node: SimulatedNode): void {
    const advanced = this.#advanced.get(node.name);
    if (advanced === undefined) return;
    this.#advanced.delete(node.name);
    for (const link of this.#world.network.links) {
      if (link.parent !== node.name || !link.parentOpen) continue;
      for (const [id, before] of advanced) {
        const sent = this.#sent.get(link)?.get(id);
        if (sent?.at === undefined || sent.snapshot !== undefined || !hasRoom(link)) continue;
        const isTold =
          comparePositions(sent.at, before) !== 0 || !this.#isPast(node.name, id, before);
        this.#hold(
          "I10",
          node.name,
          isTold,
          () => `${link.child} has room, and is not told of a change of ${id}`,
        );
      }
    }
  }

  #isPast(node: string, id: LedgerId, at: TermSeq): boolean {
    const stored = this.#stored(node, id);
    return stored !== undefined && comparePositions(stored, at) > 0;
  }

  #sentOf(link: Link, ledger: LedgerName | undefined): Sent | undefined {
    return ledger && this.#sent.get(link)?.get(ledgerId(ledger));
  }

  #welcomed(link: Link): void {
    const rivals = [...this.#served].filter(
      (one) => one.parent === link.parent && one.parentOpen && this.#isSame(one, link),
    );
    for (const one of this.#served) if (!one.parentOpen) this.#served.delete(one);
    this.#served.add(link);
    this.#hold(
      "I16",
      link.parent,
      rivals.length === 0,
      () => `${link.child} has ${rivals.length + 1} live links`,
    );
  }

  /** Whether two links are of nodes that call themselves the same. */
  #isSame(one: Link, other: Link): boolean {
    const site = ({ child }: Link): string => this.#world.get(child).settings.site;
    return site(one) === site(other) && one.request.node === other.request.node;
  }

  #offered(link: Link, { outcome, ledger, hops }: Offer): void {
    const sent = this.#sentOf(link, ledger);
    if (ledger === undefined || sent === undefined) return;
    if (outcome === "BEHIND") this.#world.fault("position-ahead");
    if (outcome !== "RESUME" && outcome !== "SNAPSHOT") return;
    if (outcome === "SNAPSHOT" && sent.at !== undefined) this.#world.fault("forgotten-position");
    const held = this.#stored(link.parent, ledgerId(ledger));
    this.#hold("I6", link.parent, held !== undefined, "it offers what it does not have");
    const last = toHex(hops.at(-1) ?? new Uint8Array(0));
    this.#hold(
      "U9",
      link.parent,
      last === toHex(this.#world.get(link.parent).settings.nodeId),
      () => `the way that it names to ${link.child} does not end with itself`,
    );
  }

  #deltaSent(
    link: Link,
    ledger: LedgerName | undefined,
    head: { payload: Uint8Array } | undefined,
  ): void {
    const sent = this.#sentOf(link, ledger);
    if (ledger === undefined || sent === undefined || head === undefined) return;
    const at = positionOf(head.payload);
    this.#isDurable(link, ledger, at);
    const isNew = sent.at === undefined || comparePositions(at, sent.at) > 0;
    this.#hold(
      "I8",
      link.parent,
      isNew,
      () => `it sends ${at.term}.${at.seq} to ${link.child} again`,
    );
    this.#fromBehind(link, ledgerId(ledger), at);
    sent.at = at;
  }

  #begun(
    link: Link,
    ledger: LedgerName | undefined,
    head: { payload: Uint8Array } | undefined,
  ): void {
    const sent = this.#sentOf(link, ledger);
    if (ledger === undefined || sent === undefined || head === undefined) return;
    sent.snapshot = positionOf(head.payload);
    this.#isDurable(link, ledger, sent.snapshot);
  }

  #chunkSent(
    link: Link,
    chunk: { ledger?: LedgerName | undefined; index: number },
    bytes: Uint8Array,
  ): void {
    const snapshot = this.#sentOf(link, chunk.ledger)?.snapshot;
    if (chunk.ledger === undefined || snapshot === undefined) return;
    const at = `${snapshot.term}.${snapshot.seq}`;
    this.#chunks.sent(link, `${ledgerId(chunk.ledger)} ${at} ${chunk.index}`, bytes);
  }

  #ended(link: Link, ledger: LedgerName | undefined): void {
    const sent = this.#sentOf(link, ledger);
    if (ledger === undefined || sent?.snapshot === undefined) return;
    this.#fromBehind(link, ledgerId(ledger), sent.snapshot);
    sent.at = sent.snapshot;
    sent.snapshot = undefined;
  }

  #beaten(
    link: Link,
    beats: readonly {
      ledger?: LedgerName | undefined;
      beat?: { payload: Uint8Array } | undefined;
    }[],
  ): void {
    for (const { ledger, beat } of beats) {
      const at = this.#sentOf(link, ledger)?.at;
      if (ledger === undefined || beat === undefined) continue;
      const { headHash } = fromBinary(BeatSchema, beat.payload);
      const state = at && this.#truth.at(ledgerId(ledger), at);
      this.#hold(
        "I12",
        link.parent,
        state?.headHash === toHex(headHash),
        () => `a beat to ${link.child} is about more, or else, than it was sent`,
      );
    }
  }

  /** A child may have more by another of its parents. */
  #fromBehind(link: Link, id: LedgerId, at: TermSeq): void {
    const held = this.#stored(link.child, id);
    const isBehind = held !== undefined && comparePositions(held, at) > 0;
    const others = this.#world.openLinks.some(
      ({ child, parent }) => child === link.child && parent !== link.parent,
    );
    if (isBehind && others) this.#world.fault("behind-parent");
  }

  #isDurable(link: Link, ledger: LedgerName, at: TermSeq): void {
    const stored = this.#stored(link.parent, ledgerId(ledger));
    this.#hold(
      "I4",
      link.parent,
      stored !== undefined && comparePositions(at, stored) <= 0,
      () => `${at.term}.${at.seq} is sent before it is durable`,
    );
  }

  /** Undefined also for what its disk has damaged. */
  #stored(node: string, id: LedgerId): TermSeq | undefined {
    const bytes = this.#world.get(node).store.get("head", id);
    try {
      return bytes && positionOf(fromBinary(EnvelopeSchema, bytes).payload);
    } catch {
      return undefined;
    }
  }
}

function sentFrom(holdings: Link["request"]["holdings"]): Map<LedgerId, Sent> {
  return new Map(
    holdings.flatMap(({ ledger, position }) =>
      ledger === undefined
        ? []
        : [[ledgerId(ledger), { at: position, snapshot: undefined }] as const],
    ),
  );
}
