import type { GiveBackRequest } from "../../gen/headwater/v1/mesh_pb.ts";
import type { Happening } from "../../nodes/access.ts";
import type { Effect, Write } from "../../relay/effect.ts";
import type { CallId, Event, LinkId, Moment } from "../../relay/event.ts";
import { sentSharedMax } from "../../relay/limits.ts";
import { Node } from "../../relay/node.ts";
import { Random } from "../../relay/random.ts";
import type { Outcome } from "../../relay/refusal.ts";
import type { NodeSettings } from "../../relay/settings.ts";
import { Calls } from "./calls.ts";
import { Clock } from "./clock.ts";
import { Fanout } from "./fanout.ts";
import type { FaultKind } from "./fault-kinds.ts";
import { calm, type Faults } from "./faults.ts";
import type { Link } from "./link.ts";
import { MemoryStore } from "./memory-store.ts";
import { Network } from "./network.ts";
import { Schedule } from "./schedule.ts";
import type { Host, Observer, SimulatedNode } from "./simulated-node.ts";

/** From a crash by itself to the restart. */
const restartMs = 1_000;
const restartMsMore = 10_000;

/**
 * Many nodes in one thread, on a clock, a network and disks that follow from a seed. Nodes are
 * known by name; the name is also the address they are dialled at.
 */
export class World implements Host {
  readonly random: Random;
  readonly nodes = new Map<string, SimulatedNode>();
  readonly log: string[] = [];
  readonly network: Network;
  readonly calls: Calls;
  readonly fanout: Fanout;
  readonly faultCounts = new Map<FaultKind, number>();
  faults: Faults = calm;
  nowMs = 0;
  observer: Observer = {};
  /** What a child gives back, before it arrives. */
  onGiveBack: (request: GiveBackRequest) => void = () => {};
  /** The credentials that each node has joined its upstreams with. */
  readonly joined = new Map<string, { id: string; credential: Uint8Array | undefined }[]>();
  readonly #clock = new Clock();
  readonly #schedule = new Schedule();
  readonly #answers = new Map<CallId, Outcome<unknown>>();
  #callsCount = 0;

  constructor(seed: number) {
    this.random = new Random(seed);
    this.network = new Network(this);
    this.calls = new Calls(this, this.network);
    this.fanout = new Fanout(this);
  }

  /** As a clock that is right has it. */
  get now(): Moment {
    return this.#clock.at(this.nowMs);
  }

  /** As a node's own clock has it. */
  momentOf({ clock }: SimulatedNode): Moment {
    return clock.at(this.nowMs);
  }

  /** `site` names whose secret and peers it shares. */
  add(name: string, of: Partial<NodeSettings> & { site: string }): SimulatedNode {
    const settings: Omit<NodeSettings, "records"> = {
      name,
      nodeId: Buffer.from(name.padEnd(8, ".").slice(0, 8)),
      siteSecret: Buffer.from(of.site.padEnd(32, ".").slice(0, 32)),
      seed: this.random.uint32(),
      upstreams: [],
      pins: [],
      disclosure: "OFF",
      onBad: "REPORT",
      windowMs: 24 * 3_600_000,
      healthWindowMs: 3_600_000,
      ...of,
    };
    const store = new MemoryStore();
    const made: SimulatedNode = {
      name,
      settings,
      store,
      node: new Node({ ...settings, records: store.load() }, this.now),
      isAlive: true,
      wakeAtMs: Number.POSITIVE_INFINITY,
      clock: new Clock(),
      pausedUntilMs: 0,
      waiting: [],
      isOnFanout: true,
    };
    this.nodes.set(name, made);
    this.observer.started?.(made);
    this.tell(name, { kind: "tick" });
    return made;
  }

  get(name: string): SimulatedNode {
    const node = this.nodes.get(name);
    if (node === undefined) throw new Error(`no node ${name}`);
    return node;
  }

  /** Something happens to a node, now. The dead notice nothing, those who are paused later. */
  tell(name: string, happening: Happening): void {
    const simulated = this.get(name);
    if (!simulated.isAlive) return;
    if (simulated.pausedUntilMs > this.nowMs) {
      simulated.waiting.push(happening);
      return;
    }
    this.#step(simulated, { ...happening, at: this.momentOf(simulated) } as Event);
    if (happening.kind === "tick") simulated.clock.ticked(this.nowMs);
    if (!simulated.isAlive) return;
    this.observer.stepped?.(simulated);
    this.#wake(simulated);
  }

  /** Asks a node; undefined when it has not answered at once. */
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
    if (!simulated.isAlive) return;
    simulated.isAlive = false;
    simulated.waiting.length = 0;
    simulated.pausedUntilMs = 0;
    this.note(`${name} crashes`);
    this.observer.died?.(simulated);
    this.network.died(name);
  }

  restart(name: string): void {
    const simulated = this.get(name);
    if (simulated.isAlive) return;
    this.note(`${name} restarts`);
    const settings = { ...simulated.settings, seed: this.random.uint32() };
    const records = [...simulated.store.load()];
    const sentLatest = simulated.store.list({ bucket: "sent", prefix: "", limit: sentSharedMax });
    const at = this.momentOf(simulated);
    simulated.node = new Node({ ...settings, records, sentLatest }, at);
    simulated.isAlive = true;
    simulated.clock.begin();
    this.observer.started?.(simulated);
    if (this.fanout.peersOf(simulated).length > 0) this.fanout.started(simulated);
    this.tell(name, { kind: "tick" });
  }

  /** Its process stands still for a while, its machine does not. */
  pause(name: string, forMs: number): void {
    const simulated = this.get(name);
    simulated.pausedUntilMs = Math.max(simulated.pausedUntilMs, this.nowMs + forMs);
    this.later(forMs, () => this.#resume(simulated));
  }

  #resume(simulated: SimulatedNode): void {
    if (simulated.pausedUntilMs > this.nowMs) return;
    const waiting = simulated.waiting.splice(0);
    for (const happening of waiting) this.tell(simulated.name, happening);
    this.tell(simulated.name, { kind: "tick" });
  }

  get openLinks(): readonly Link[] {
    return this.network.openLinks;
  }

  /** Ends a link for both sides. */
  cut(id: LinkId): void {
    this.network.cut(id);
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

  /** Does something after a while. */
  later(inMs: number, run: () => void): void {
    this.#schedule.at(this.nowMs + inMs, run);
  }

  chance(kind: FaultKind, share: number): boolean {
    const happens = share > 0 && this.random.fraction() < share;
    if (happens) this.fault(kind);
    return happens;
  }

  fault(kind: FaultKind): void {
    this.faultCounts.set(kind, (this.faultCounts.get(kind) ?? 0) + 1);
  }

  note(line: string): void {
    this.log.push(`${this.nowMs} ${line}`);
  }

  #wake(simulated: SimulatedNode): void {
    const lagMs = this.random.below(this.faults.tickLagMsMax + 1);
    const atMs = Math.max(this.nowMs + 1, Math.ceil(simulated.node.wakeAtMonoMs)) + lagMs;
    if (simulated.wakeAtMs > this.nowMs && simulated.wakeAtMs <= atMs) return;
    simulated.wakeAtMs = atMs;
    this.#schedule.at(atMs, () => {
      if (simulated.wakeAtMs !== atMs) return;
      simulated.wakeAtMs = Number.POSITIVE_INFINITY;
      this.observer.woken?.(simulated);
      this.tell(simulated.name, { kind: "tick" });
    });
  }

  #step(simulated: SimulatedNode, event: Event): void {
    let effects: Effect[];
    this.observer.stepping?.(event);
    try {
      effects = simulated.node.step(event);
    } catch (thrown) {
      if (this.observer.failed === undefined) throw thrown;
      return this.observer.failed(simulated, thrown);
    }
    this.#perform(simulated, effects);
  }

  #perform(simulated: SimulatedNode, effects: readonly Effect[]): void {
    for (const [index, effect] of effects.entries()) {
      if (this.chance("crash-at-effect", this.faults.crashAtEffectShare))
        this.#crashForAWhile(simulated);
      if (!simulated.isAlive) return;
      if (effect.kind === "persist" && index < effects.length - 1)
        throw new Error("an effect comes after persist");
      this.#performOne(simulated, effect);
    }
  }

  #performOne(simulated: SimulatedNode, effect: Effect): void {
    this.observer.performing?.(simulated, effect);
    switch (effect.kind) {
      case "persist":
        return this.#persist(simulated, effect.writes);
      case "answer":
        this.#answers.set(effect.call, effect.outcome);
        return;
      case "send":
        return this.network.send(effect.link, effect.frame);
      case "close":
        return this.network.close(effect.link);
      case "dial":
        return this.network.dial(simulated, effect.dial);
      case "hang-up":
        return this.network.hangUp(simulated.name, effect.upstream);
      case "submit-document":
        return this.calls.submit(simulated, effect);
      case "confirm":
        return this.calls.confirm(simulated, effect);
      case "give-back":
        return this.calls.giveBack(simulated, effect);
      case "publish":
        return this.fanout.publish(simulated, effect.message);
      case "ask-peer":
        return this.fanout.ask(simulated, effect.ask);
      case "expose":
        return this.observer.exposed?.(simulated, effect.exposure);
      case "log": {
        const { event, message } = effect.entry;
        this.observer.logged?.(simulated, event, message);
        this.note(`${simulated.name} ${event}: ${message}`);
        return;
      }
    }
  }

  #persist(simulated: SimulatedNode, writes: readonly Write[]): void {
    const at = this.momentOf(simulated);
    if (simulated.store.isFull || this.chance("disk-full", this.faults.writeFailureShare))
      return this.#step(simulated, { kind: "persist-failed", why: "the disk is full", at });
    if (this.chance("torn-write", this.faults.tornWriteShare))
      return this.#crashForAWhile(simulated);
    simulated.store.write(writes);
    this.observer.persisted?.(simulated, writes);
    if (this.chance("crash-after-write", this.faults.crashAfterWriteShare))
      return this.#crashForAWhile(simulated);
    this.#step(simulated, { kind: "persisted", at });
  }

  #crashForAWhile(simulated: SimulatedNode): void {
    this.crash(simulated.name);
    this.later(restartMs + this.random.below(restartMsMore), () => this.restart(simulated.name));
  }
}
