import { create, fromBinary } from "@bufbuild/protobuf";
import { PeerAskSchema, type PeerMessage } from "../../gen/headwater/v1/fanout_pb.ts";
import { EnvelopeSchema } from "../../gen/headwater/v1/ledger_pb.ts";
import { type GiveBackRequest, ReplicateResponseSchema } from "../../gen/headwater/v1/mesh_pb.ts";
import type { Happening } from "../../nodes/access.ts";
import type { Dial, Effect, Write } from "../../relay/effect.ts";
import type { CallId, Event, LinkId, Moment, Peer } from "../../relay/event.ts";
import { Node } from "../../relay/node.ts";
import { Random } from "../../relay/random.ts";
import type { Outcome } from "../../relay/refusal.ts";
import type { NodeSettings } from "../../relay/settings.ts";
import { toHex } from "../../relay/trust/key.ts";
import { calm, type Faults } from "./faults.ts";
import { MemoryStore } from "./memory-store.ts";
import { Schedule } from "./schedule.ts";

interface Link {
  readonly id: LinkId;
  readonly child: string;
  readonly upstream: string;
  readonly parent: string;
  /** Deliveries keep their order up to here. */
  readyAtMs: number;
  isOpen: boolean;
}

export interface SimulatedNode {
  readonly name: string;
  readonly settings: Omit<NodeSettings, "records">;
  readonly store: MemoryStore;
  node: Node;
  isAlive: boolean;
  wakeAtMs: number;
}

/** Wall-clock time at the start of every run: 2026-01-01. */
const epochMs = Date.UTC(2026, 0, 1);

/**
 * Many nodes in one thread, on a clock, a network and disks that follow from a seed. Nodes are
 * known by name; the name is also the address they are dialled at.
 */
export class World {
  readonly random: Random;
  readonly nodes = new Map<string, SimulatedNode>();
  readonly log: string[] = [];
  faults: Faults = calm;
  nowMs = 0;
  /** Happens to every node after each of its steps. */
  onStep: (node: SimulatedNode) => void = () => {};
  /** What a child gives back, before it arrives. */
  onGiveBack: (request: GiveBackRequest) => void = () => {};
  faultsCount = 0;
  /** The credentials that each node has joined its upstreams with. */
  readonly joined = new Map<string, { id: string; credential: Uint8Array | undefined }[]>();
  readonly #schedule = new Schedule();
  readonly #links = new Map<LinkId, Link>();
  readonly #answers = new Map<CallId, Outcome<unknown>>();
  #linksCount = 0;
  #callsCount = 0;

  constructor(seed: number) {
    this.random = new Random(seed);
  }

  get now(): Moment {
    return { wallMs: epochMs + this.nowMs, monoMs: this.nowMs };
  }

  /** `site` names whose secret and peers it shares. */
  add(name: string, of: Partial<NodeSettings> & { site: string }): SimulatedNode {
    const settings: Omit<NodeSettings, "records"> = {
      name,
      nodeId: Buffer.from(name.padEnd(8, ".").slice(0, 8)),
      siteSecret: Buffer.from(of.site.padEnd(32, ".").slice(0, 32)),
      seed: this.random.uint32(),
      certificate: new Uint8Array(0),
      upstreams: [],
      pins: [],
      disclosure: "OFF",
      onBad: "REPORT",
      windowMs: 24 * 3_600_000,
      healthWindowMs: 3_600_000,
      ...of,
    };
    const store = new MemoryStore();
    const node = new Node({ ...settings, records: store.load() }, this.now);
    const made = { name, settings, store, node, isAlive: true, wakeAtMs: Number.POSITIVE_INFINITY };
    this.nodes.set(name, made);
    this.tell(name, { kind: "tick" });
    return made;
  }

  get(name: string): SimulatedNode {
    const node = this.nodes.get(name);
    if (node === undefined) throw new Error(`no node ${name}`);
    return node;
  }

  /** Something happens to a node, now. The dead notice nothing. */
  tell(name: string, happening: Happening): void {
    const simulated = this.get(name);
    if (!simulated.isAlive) return;
    this.#perform(simulated, simulated.node.step({ ...happening, at: this.now } as Event));
    if (!simulated.isAlive) return;
    this.onStep(simulated);
    this.#wake(simulated);
  }

  /** Asks a node; undefined when it died before it answered. */
  ask<T>(name: string, happening: (call: CallId) => Happening): Outcome<T> | undefined {
    const call = ++this.#callsCount;
    this.tell(name, happening(call));
    const outcome = this.#answers.get(call);
    this.#answers.delete(call);
    return outcome as Outcome<T> | undefined;
  }

  /** Its memory and links are gone, its disk stays. */
  crash(name: string): void {
    const simulated = this.get(name);
    simulated.isAlive = false;
    this.faultsCount++;
    this.log.push(`${this.nowMs} ${name} crashes`);
    for (const link of this.#links.values())
      if (link.isOpen && (link.child === name || link.parent === name)) this.cut(link.id);
  }

  restart(name: string): void {
    const simulated = this.get(name);
    if (simulated.isAlive) return;
    this.log.push(`${this.nowMs} ${name} restarts`);
    const settings = { ...simulated.settings, seed: this.random.uint32() };
    simulated.node = new Node({ ...settings, records: simulated.store.load() }, this.now);
    simulated.isAlive = true;
    if (this.#peersOf(simulated).length > 0)
      this.tell(name, { kind: "fanout-changed", connected: true, problem: "" });
    this.tell(name, { kind: "tick" });
  }

  /** Ends a link for both sides. */
  cut(id: LinkId): void {
    const link = this.#links.get(id);
    if (link === undefined || !link.isOpen) return;
    link.isOpen = false;
    this.later(0, () => this.tell(link.parent, { kind: "child-closed", link: id }));
    const closed = { kind: "upstream-closed", upstream: link.upstream, why: "cut" } as const;
    this.later(0, () => this.tell(link.child, closed));
  }

  get openLinks(): readonly Link[] {
    return [...this.#links.values()].filter(({ isOpen }) => isOpen);
  }

  /** Lets simulated time pass. */
  run(forMs: number): void {
    const untilMs = this.nowMs + forMs;
    for (let due = this.#schedule.take(untilMs); due; due = this.#schedule.take(untilMs)) {
      this.nowMs = Math.max(this.nowMs, due.atMs);
      due.run();
    }
    this.nowMs = untilMs;
  }

  #wake(simulated: SimulatedNode): void {
    const atMs = Math.max(this.nowMs + 1, Math.ceil(simulated.node.wakeAtMonoMs));
    if (simulated.wakeAtMs > this.nowMs && simulated.wakeAtMs <= atMs) return;
    simulated.wakeAtMs = atMs;
    this.#schedule.at(atMs, () => {
      if (simulated.wakeAtMs !== atMs) return;
      simulated.wakeAtMs = Number.POSITIVE_INFINITY;
      this.tell(simulated.name, { kind: "tick" });
    });
  }

  #perform(simulated: SimulatedNode, effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (!simulated.isAlive) return;
      this.#performOne(simulated, effect);
    }
  }

  #performOne(simulated: SimulatedNode, effect: Effect): void {
    switch (effect.kind) {
      case "persist":
        return this.#persist(simulated, effect.writes);
      case "answer":
        this.#answers.set(effect.call, effect.outcome);
        return;
      case "send":
        return this.#send(effect.link, effect.frame);
      case "close":
        return this.cut(effect.link);
      case "dial":
        return this.#dial(simulated, effect.dial);
      case "hang-up":
        return this.#hangUp(simulated.name, effect.upstream);
      case "submit-document":
        return this.#submit(simulated, effect);
      case "confirm":
        return this.#confirm(simulated, effect);
      case "give-back":
        return this.#giveBack(simulated, effect);
      case "publish":
        for (const peer of this.#peersOf(simulated))
          this.#carry(() => this.#speak(peer, effect.message));
        return;
      case "ask-peer":
        return this.#askPeer(simulated, effect);
      case "expose":
        return;
      case "log":
        this.log.push(
          `${this.nowMs} ${simulated.name} ${effect.entry.event}: ${effect.entry.message}`,
        );
        return;
    }
  }

  #persist(simulated: SimulatedNode, writes: readonly Write[]): void {
    const at = this.now;
    if (this.#chance(this.faults.writeFailureShare)) {
      const failed = { kind: "persist-failed", why: "the disk is full", at } as const;
      return this.#perform(simulated, simulated.node.step(failed));
    }
    simulated.store.write(writes);
    if (this.#chance(this.faults.crashAfterWriteShare)) {
      this.crash(simulated.name);
      this.later(1_000 + this.random.below(10_000), () => this.restart(simulated.name));
      return;
    }
    this.#perform(simulated, simulated.node.step({ kind: "persisted", at }));
  }

  #dial(child: SimulatedNode, dial: Dial): void {
    this.#hangUp(child.name, dial.upstream);
    const parent = this.nodes.get(dial.address);
    const closed = { kind: "upstream-closed", upstream: dial.upstream, why: "refused" } as const;
    if (parent === undefined) return this.later(1, () => this.tell(child.name, closed));
    const id = ++this.#linksCount;
    const link = {
      id,
      child: child.name,
      upstream: dial.upstream,
      parent: parent.name,
      readyAtMs: this.nowMs,
      isOpen: true,
    };
    this.#links.set(id, link);
    this.later(this.#delayMs(), () => {
      if (!link.isOpen) return;
      if (!parent.isAlive) return this.cut(id);
      const peer = {
        by: "credential",
        credential: dial.credential && fromBinary(EnvelopeSchema, dial.credential),
      } as const;
      this.tell(parent.name, { kind: "child-opened", link: id, peer, request: dial.request });
    });
  }

  #hangUp(child: string, upstream: string): void {
    for (const link of this.#links.values()) {
      if (!link.isOpen || link.child !== child || link.upstream !== upstream) continue;
      link.isOpen = false;
      this.later(0, () => this.tell(link.parent, { kind: "child-closed", link: link.id }));
    }
  }

  #send(id: LinkId, bytes: Uint8Array): void {
    const link = this.#links.get(id);
    if (link === undefined || !link.isOpen) return;
    const delayMs = this.#delayMs();
    const atMs = this.faults.ordered
      ? Math.max(link.readyAtMs, this.nowMs + delayMs)
      : this.nowMs + delayMs;
    link.readyAtMs = atMs;
    this.#schedule.at(atMs, () => {
      if (!link.isOpen) return;
      const flushed = {
        kind: "child-flushed",
        link: id,
        framesCount: 1,
        bytes: bytes.length,
      } as const;
      this.tell(link.parent, flushed);
    });
    this.#carryAt(atMs, () => {
      if (!link.isOpen) return;
      const frame = fromBinary(ReplicateResponseSchema, bytes);
      this.tell(link.child, { kind: "upstream-frame", upstream: link.upstream, frame });
    });
  }

  #confirm(child: SimulatedNode, effect: Extract<Effect, { kind: "confirm" }>): void {
    const link = this.#linkOf(child, effect.upstream);
    if (link === undefined) return;
    const peer = this.#peerOf(child, effect.upstream);
    const confirmed = { kind: "child-confirmed", peer, request: effect.request } as const;
    this.#carry(() => this.ask(link.parent, (call) => ({ ...confirmed, call })));
  }

  #giveBack(child: SimulatedNode, effect: Extract<Effect, { kind: "give-back" }>): void {
    const link = this.#linkOf(child, effect.upstream);
    if (link === undefined) return;
    const peer = this.#peerOf(child, effect.upstream);
    const [request, ...requests] = effect.requests;
    if (request === undefined) return;
    this.#carry(() => {
      this.onGiveBack(request);
      const { parent } = link;
      const taken = this.ask(parent, (call) => ({
        kind: "ledger-given-back",
        call,
        peer,
        request,
      }));
      if (taken?.ok === true) this.#giveBack(child, { ...effect, requests });
    });
  }

  #linkOf({ name }: SimulatedNode, upstream: string): Link | undefined {
    return this.openLinks.find((one) => one.child === name && one.upstream === upstream);
  }

  #peerOf(child: SimulatedNode, upstream: string): Peer {
    const credential = (this.joined.get(child.name) ?? []).find(
      ({ id }) => id === upstream,
    )?.credential;
    return { by: "credential", credential: credential && fromBinary(EnvelopeSchema, credential) };
  }

  #submit(child: SimulatedNode, effect: Extract<Effect, { kind: "submit-document" }>): void {
    const link = this.#linkOf(child, effect.upstream);
    const { upstream, document } = effect;
    const peer = this.#peerOf(child, upstream);
    const received = { kind: "document-received", peer, document } as const;
    this.later(this.#delayMs(), () => {
      const outcome =
        link && this.ask<{ outcome: string }>(link.parent, (call) => ({ ...received, call }));
      const said = outcome?.ok === true ? outcome.value.outcome : "unreachable";
      this.tell(child.name, { kind: "document-answered", upstream, document, outcome: said });
    });
  }

  #peersOf(simulated: SimulatedNode): SimulatedNode[] {
    const secret = toHex(simulated.settings.siteSecret);
    return [...this.nodes.values()].filter(
      (one) => one !== simulated && toHex(one.settings.siteSecret) === secret,
    );
  }

  #speak(peer: SimulatedNode, message: PeerMessage): void {
    this.tell(peer.name, { kind: "peer-spoke", message });
  }

  #askPeer(asker: SimulatedNode, effect: Extract<Effect, { kind: "ask-peer" }>): void {
    const alive = this.#peersOf(asker).filter(({ isAlive }) => isAlive);
    const peer = alive[this.random.below(alive.length)];
    if (peer === undefined) return;
    const ask = create(PeerAskSchema, { node: asker.name, holdings: effect.ask.holdings });
    this.#carry(() => {
      const answer = this.ask<PeerMessage[]>(peer.name, (call) => ({
        kind: "peer-asked",
        call,
        ask,
      }));
      if (answer?.ok !== true) return;
      for (const message of answer.value) this.#carry(() => this.#speak(asker, message));
    });
  }

  /** Delivers something, or loses it, or does so twice. */
  #carry(deliver: () => void): void {
    this.#carryAt(this.nowMs + this.#delayMs(), deliver);
  }

  #carryAt(atMs: number, deliver: () => void): void {
    if (this.#chance(this.faults.lossShare)) return;
    this.#schedule.at(atMs, deliver);
    if (this.#chance(this.faults.duplicateShare))
      this.#schedule.at(atMs + this.#delayMs(), deliver);
  }

  #chance(share: number): boolean {
    const happens = share > 0 && this.random.fraction() < share;
    if (happens) this.faultsCount++;
    return happens;
  }

  #delayMs(): number {
    return this.random.below(this.faults.delayMsMax + 1);
  }

  /** Does something after a while. */
  later(inMs: number, run: () => void): void {
    this.#schedule.at(this.nowMs + inMs, run);
  }
}
