import type { PeerMessage } from "../../gen/headwater/v1/fanout_pb.ts";
import type { LedgerName } from "../../gen/headwater/v1/ledger_pb.ts";
import type { Holding, ReplicateResponse } from "../../gen/headwater/v1/mesh_pb.ts";
import type { Effect, Write } from "../../relay/effect.ts";
import { ledgerId } from "../../relay/ledger/position.ts";
import { sha256, toHex } from "../../relay/trust/key.ts";
import type { Hold } from "./checks.ts";
import { decodeFrame } from "./decoded.ts";
import type { Link } from "./link.ts";
import { type RestKind, restBounds } from "./rest-bounds.ts";
import { kindsTold, recordsOf } from "./rest-records.ts";
import type { SimulatedNode } from "./simulated-node.ts";
import type { Truth } from "./truth.ts";
import type { World } from "./world.ts";

type Body = PeerMessage["body"];

/** What a node or a link has done of one kind, about one thing. */
interface Done {
  readonly who: string;
  readonly kind: RestKind;
  readonly about: string;
  count: number;
  /** Above the rhythm, for what was asked for. */
  allowed: number;
}

/** A rollout goes on, or halts, whatever else happens: each change of a ledger is a reason for these. */
const ofChanges: ReadonlySet<RestKind> = new Set([
  "delta",
  "frame to peers",
  "confirmation",
  "write of head",
  "write of entry",
  "write of history",
  "write of audit",
]);

/**
 * Looks at a mesh in which nothing happens: what it does then it does for ever, at every node. Each
 * kind has the bound that its rhythm gives, so that nothing of it depends on what happened before.
 */
export class RestChecks {
  readonly #world: World;
  readonly #truth: Truth;
  readonly #hold: Hold;
  #beganMs: number | undefined;
  #done = new Map<string, Done>();

  constructor(of: { world: World; truth: Truth; hold: Hold }) {
    this.#world = of.world;
    this.#truth = of.truth;
    this.#hold = of.hold;
  }

  /** From now on nothing happens. */
  begin(): void {
    this.#beganMs = this.#world.nowMs;
    this.#done = new Map();
  }

  /** @param of.graceMsMin within which a census hears of what is over; none where none is asked */
  end(of: { graceMsMin: number | undefined }): void {
    const sinceMs = this.#beganMs ?? this.#world.nowMs;
    this.#beganMs = undefined;
    const boundOf = restBounds({ ...of, restMs: this.#world.nowMs - sinceMs });
    const changesCount = this.#truth.signedSince(sinceMs);
    for (const { who, kind, about, count, allowed } of this.#done.values()) {
      const changes = ofChanges.has(kind) ? changesCount : 0;
      const max = boundOf(kind, this.#world.nodes.get(who)?.settings) + allowed + changes;
      this.#hold(
        "U11",
        who,
        count <= max,
        () => `at rest ${count} times: ${kind} ${about}, at most ${max}; ${this.#all(who)}`,
      );
    }
  }

  performing({ name }: SimulatedNode, effect: Effect): void {
    if (this.#beganMs === undefined) return;
    switch (effect.kind) {
      case "persist":
        for (const write of effect.writes) this.#written(name, write);
        return;
      case "submit-document": {
        const { project, kind } = effect.document;
        return this.#did(name, "document", `${kind} of ${project} to ${effect.upstream}`);
      }
      case "confirm":
        return this.#confirmed(name, effect);
      case "give-back":
        return this.#did(name, "give-back", effect.upstream);
      case "ask-peer":
        return this.#did(name, "question to peers");
      case "publish":
        return this.#told(name, effect.message.body);
      case "send":
      case "answer":
      case "close":
      case "dial":
      case "hang-up":
      case "expose":
      case "log":
        return;
    }
  }

  dialed(link: Link): void {
    if (this.#beganMs === undefined) return;
    this.#allow(wayOf(link), "welcome");
    this.#asked(link, link.request.holdings);
  }

  sent(link: Link, bytes: Uint8Array): void {
    if (this.#beganMs === undefined) return;
    const frame = decodeFrame(bytes);
    const way = wayOf(link);
    switch (frame.case) {
      case "heartbeat":
        return this.#beaten(way, frame.value.beats);
      case "offer":
        this.#didOf(way, "offer", frame.value.ledger);
        if (frame.value.outcome === "BEHIND") this.#mayAnswer(link);
        return;
      case "trustUpdate":
        this.#didOf(way, "roots and grants", frame.value.ledger);
        return this.#allow(link.child, "give-back", link.upstream);
      case "delta":
        return this.#didOf(way, "delta", frame.value.ledger);
      case "snapshotBegin":
        this.#didOf(way, "snapshot", frame.value.ledger);
        return this.#allow(link.child, "confirmation", link.upstream);
      // They follow its begin, each once.
      case "snapshotChunk":
      case "snapshotEnd":
        return;
      case "welcome":
      case "goodbye":
        return this.#did(way, frame.case);
      case undefined:
        return this.#did(way, "frame of no kind");
    }
  }

  peerAnswered(from: SimulatedNode, to: SimulatedNode, messages: readonly PeerMessage[]): void {
    if (this.#beganMs === undefined) return;
    for (const { body } of messages) {
      for (const { about, bytes, toldMs } of recordsOf(body)) {
        // Told by a clock that was ahead, as much as it may be: the others hold to it until that time.
        if (toldMs > this.#world.now.wallMs) continue;
        const what = `${about} ${toHex(sha256(bytes)).slice(0, 8)}, to ${to.name}`;
        this.#did(from.name, "record for a peer that asked", what);
      }
      // A beat goes with each answer: who has asked may be without.
      if (body.case !== "records" && frameOf(body)?.case !== "heartbeat")
        this.#did(from.name, "frame for a peer that asked", `${saidBy(body)}, to ${to.name}`);
    }
  }

  #mayAnswer({ child, upstream }: Link): void {
    this.#allow(child, "confirmation", upstream);
    this.#allow(child, "give-back", upstream);
  }

  #beaten(way: string, beats: readonly { ledger?: LedgerName | undefined }[]): void {
    if (beats.length === 0) this.#did(way, "heartbeat");
    for (const { ledger } of beats) this.#didOf(way, "beat", ledger);
  }

  #told(name: string, body: Body): void {
    if (body.case === "alive") return this.#did(name, "sign of life");
    for (const { kind, about } of recordsOf(body)) this.#did(name, kindsTold[kind], about);
    if (body.case === "records") return;
    const frame = frameOf(body);
    if (frame?.case === "heartbeat") {
      for (const { ledger } of frame.value.beats) this.#didOf(name, "beat to peers", ledger);
      return;
    }
    this.#did(name, "frame to peers", saidBy(body));
  }

  #confirmed(name: string, { upstream, request }: Extract<Effect, { kind: "confirm" }>): void {
    const link = this.#world.network.linkOf(name, upstream);
    if (link !== undefined) this.#asked(link, request.again);
    for (const { ledger } of request.again)
      this.#didOf(name, "question to be served anew", ledger, upstream);
    if (request.again.length === 0) this.#did(name, "confirmation", upstream);
  }

  /** Who asks for a ledger is told all that belongs to it once. */
  #asked(link: Link, holdings: readonly Holding[]): void {
    const way = wayOf(link);
    for (const { ledger, position } of holdings) {
      if (ledger === undefined) continue;
      for (const kind of ["offer", "roots and grants", "beat"] as const)
        this.#allow(way, kind, ledgerId(ledger));
      if (position !== undefined) continue;
      // One that is kept for others may be older than the ledger.
      for (const kind of ["snapshot", "delta"] as const) this.#allow(way, kind, ledgerId(ledger));
    }
  }

  #written(name: string, { bucket, key }: Write): void {
    // Each window has a sample of its own.
    const about = bucket === "sample" ? key.slice(0, key.lastIndexOf("/")) : key;
    this.#did(name, `write of ${bucket}`, about);
  }

  #didOf(who: string, kind: RestKind, ledger: LedgerName | undefined, with_ = ""): void {
    this.#did(who, kind, `${ledger === undefined ? "" : ledgerId(ledger)}${with_}`);
  }

  #did(who: string, kind: RestKind, about = ""): void {
    this.#doneOf(who, kind, about).count++;
  }

  #allow(who: string, kind: RestKind, about = ""): void {
    this.#doneOf(who, kind, about).allowed++;
  }

  #doneOf(who: string, kind: RestKind, about: string): Done {
    const key = `${who} ${kind} ${about}`;
    const known = this.#done.get(key);
    if (known !== undefined) return known;
    const made = { who, kind, about, count: 0, allowed: 0 };
    this.#done.set(key, made);
    return made;
  }

  /** All that was done, for whoever looks for the reason. */
  #all(who: string): string {
    const counts = new Map<RestKind, number>();
    for (const done of this.#done.values())
      if (done.who === who && done.count > 0)
        counts.set(done.kind, (counts.get(done.kind) ?? 0) + done.count);
    return `all that it did: ${[...counts].map(([kind, count]) => `${count} ${kind}`).join(", ")}`;
  }
}

function wayOf({ parent, child }: Link): string {
  return `${parent} > ${child}`;
}

function frameOf(body: Body): ReplicateResponse["frame"] | undefined {
  return body.case === "frame" ? body.value.frame : undefined;
}

function saidBy(body: Body): string {
  return frameOf(body)?.case ?? body.case ?? "nothing";
}
