import { fromBinary } from "@bufbuild/protobuf";
import { ReplicateResponseSchema } from "../../../gen/headwater/v1/mesh_pb.ts";
import type { Happening } from "../../../nodes/access.ts";
import type { Effect } from "../../../relay/effect.ts";
import type { Event, LinkId } from "../../../relay/event.ts";
import { Node } from "../../../relay/node.ts";
import { Random } from "../../../relay/random.ts";
import type { NodeSettings } from "../../../relay/settings.ts";
import { MemoryStore } from "../../../test/sim/memory-store.ts";
import { Schedule } from "../../../test/sim/schedule.ts";
import { AggregateSite, type AskedLedger, FrameReader } from "./aggregate-site.ts";

/** 2026-01-01. */
const epochMs = Date.UTC(2026, 0, 1);

/** One way over the network, at least and at most: a continent, and the way across an ocean. */
const hopMsMin = 5;
const hopMsMax = 60;

/** What one delivery costs its sender: grpc-js over TLS, measured at 30 µs on two shared cores. */
const deliveryMs = 0.03;

/** A durable write: one sync of a solid-state disk. */
const syncMs = 1;

interface ScaleNode {
  readonly name: string;
  node: Node;
  readonly store: MemoryStore;
  readonly settings: Omit<NodeSettings, "records">;
  isAlive: boolean;
  wakeAtMs: number;
  /** Its sender is busy until then: deliveries of one process go one after the other. */
  busyUntilMs: number;
  cpuMs: number;
}

interface ScaleLink {
  readonly parent: ScaleNode;
  readonly site: AggregateSite | undefined;
  readonly child: ScaleNode | undefined;
  readonly delayMs: number;
}

/** Bytes and frames that went over one hop. */
interface Traffic {
  frames: number;
  bytes: number;
}

/** A root and its vendors as they really are, and their sites as far as vendors see them. */
export class ScaleMesh {
  readonly sites: AggregateSite[] = [];
  readonly random = new Random(1);
  ledger: AskedLedger | undefined;
  readonly traffic: { readonly down: Traffic; readonly site: Traffic } = {
    down: { frames: 0, bytes: 0 },
    site: { frames: 0, bytes: 0 },
  };
  nowMs = 0;
  readonly #schedule = new Schedule();
  readonly #nodes = new Map<string, ScaleNode>();
  readonly #links = new Map<LinkId, ScaleLink>();
  readonly #answers = new Map<number, unknown>();
  readonly #frames = new FrameReader();
  #linksCount = 0;
  #callsCount = 0;

  add(name: string): ScaleNode {
    const settings: Omit<NodeSettings, "records"> = {
      name,
      site: name,
      nodeId: Buffer.from(name.padEnd(8, ".").slice(0, 8)),
      siteSecret: Buffer.from(name.padEnd(32, ".").slice(0, 32)),
      seed: this.random.uint32(),
      upstreams: [],
      pins: [],
      disclosure: "OFF",
      onBad: "REPORT",
      windowMs: 24 * 3_600_000,
      healthWindowMs: 3_600_000,
    };
    const store = new MemoryStore();
    const node = new Node({ ...settings, records: store.load() }, this.#moment);
    const made: ScaleNode = {
      name,
      node,
      store,
      settings,
      isAlive: true,
      wakeAtMs: Number.POSITIVE_INFINITY,
      busyUntilMs: 0,
      cpuMs: 0,
    };
    this.#nodes.set(name, made);
    this.tell(name, { kind: "tick" });
    return made;
  }

  get(name: string): ScaleNode {
    const found = this.#nodes.get(name);
    if (found === undefined) throw new Error(`no node ${name}`);
    return found;
  }

  addSites(vendors: number, count: number): void {
    for (let at = 0; at < count; at++)
      this.sites.push(new AggregateSite(at % vendors, this.random));
  }

  tell(name: string, happening: Happening): void {
    const node = this.get(name);
    if (!node.isAlive) return;
    this.#step(node, { ...happening, at: this.#moment } as Event);
    this.#wake(node);
  }

  ask<T>(name: string, happening: (call: number) => Happening): T {
    const call = ++this.#callsCount;
    this.tell(name, happening(call));
    const outcome = this.#answers.get(call) as { ok: boolean; value: T };
    if (outcome?.ok !== true) throw new Error(`${name} refused: ${JSON.stringify(outcome)}`);
    return outcome.value;
  }

  run(forMs: number, isDone: () => boolean = () => false): void {
    const untilMs = this.nowMs + forMs;
    for (let due = this.#schedule.take(untilMs); due; due = this.#schedule.take(untilMs)) {
      this.nowMs = Math.max(this.nowMs, due.atMs);
      due.run();
      if (isDone()) return;
    }
    this.nowMs = untilMs;
  }

  /** A site dials its vendor, with what it holds. */
  dial(site: AggregateSite, at: number): void {
    const parent = this.get(`vendor-${site.vendor}`);
    const link = ++this.#linksCount;
    site.link = link;
    const delayMs = this.#delayMs();
    this.#links.set(link, { parent, site, child: undefined, delayMs });
    const request = site.request(at, this.ledger);
    this.later(delayMs, () => {
      if (!parent.isAlive) return this.#retry(site, at);
      this.tell(parent.name, {
        kind: "child-opened",
        link,
        peer: { by: "certificate", name: `site-${at}` },
        request,
      });
    });
  }

  /** A vendor's process is killed, and comes back with its disk. */
  restart(name: string, downMs: number): void {
    const node = this.get(name);
    node.isAlive = false;
    for (const [id, link] of this.#links) {
      if (link.parent !== node && link.child !== node) continue;
      this.#links.delete(id);
      if (link.site !== undefined) {
        const { site } = link;
        const at = this.sites.indexOf(site);
        site.link = undefined;
        this.later(link.delayMs, () => this.#retry(site, at));
      } else if (link.parent === node && link.child !== undefined) {
        const { name: child } = link.child;
        this.later(link.delayMs, () => this.tell(child, closed));
      }
    }
    this.later(downMs, () => {
      node.node = new Node({ ...node.settings, records: node.store.load() }, this.#moment);
      node.isAlive = true;
      this.tell(name, { kind: "tick" });
    });
  }

  #retry(site: AggregateSite, at: number): void {
    this.later(site.backoff.next(), () => this.dial(site, at));
  }

  #step(node: ScaleNode, event: Event): void {
    const startedMs = performance.now();
    const effects = node.node.step(event);
    node.cpuMs += performance.now() - startedMs;
    for (const effect of effects) this.#perform(node, effect);
  }

  #perform(node: ScaleNode, effect: Effect): void {
    switch (effect.kind) {
      case "persist":
        node.store.write(effect.writes);
        node.busyUntilMs = Math.max(node.busyUntilMs, this.nowMs) + syncMs;
        return this.#step(node, { kind: "persisted", at: this.#moment });
      case "answer":
        this.#answers.set(effect.call, effect.outcome);
        return;
      case "send":
        return this.#send(node, effect.link, effect.frame);
      case "dial":
        return this.#dialNode(node, effect.dial);
      case "ask-peer":
      case "close":
      case "confirm":
      case "expose":
      case "give-back":
      case "hang-up":
      case "log":
      case "publish":
      case "submit-document":
        // Of no account for what is measured: links end only where this mesh ends them.
        return;
    }
  }

  #dialNode(child: ScaleNode, dial: Extract<Effect, { kind: "dial" }>["dial"]): void {
    const parent = this.get(dial.address);
    const link = ++this.#linksCount;
    const delayMs = this.#delayMs();
    this.#links.set(link, { parent, site: undefined, child, delayMs });
    this.later(delayMs, () => {
      if (!parent.isAlive) return this.tell(child.name, closed);
      const peer = { by: "certificate", name: child.name } as const;
      this.tell(parent.name, { kind: "child-opened", link, peer, request: dial.request });
    });
  }

  #send(node: ScaleNode, id: LinkId, frame: Uint8Array): void {
    const link = this.#links.get(id);
    if (link === undefined) return;
    const traffic = link.site === undefined ? this.traffic.down : this.traffic.site;
    traffic.frames++;
    traffic.bytes += frame.length;
    node.busyUntilMs = Math.max(node.busyUntilMs, this.nowMs) + deliveryMs;
    const atMs = node.busyUntilMs + link.delayMs;
    this.#schedule.at(node.busyUntilMs, () =>
      this.tell(node.name, {
        kind: "children-flushed",
        flushed: [{ link: id, framesCount: 1, bytes: frame.length }],
      }),
    );
    this.#schedule.at(atMs, () => this.#deliver(link, id, frame));
  }

  #deliver(link: ScaleLink, id: LinkId, bytes: Uint8Array): void {
    if (!this.#links.has(id)) return;
    if (link.site !== undefined)
      return link.site.take(this.#frames.read(bytes), this.nowMs + syncMs);
    const frame = fromBinary(ReplicateResponseSchema, new Uint8Array(bytes));
    if (link.child !== undefined)
      this.tell(link.child.name, { kind: "upstream-frame", upstream: link.parent.name, frame });
  }

  #wake(node: ScaleNode): void {
    const atMs = Math.max(this.nowMs + 1, Math.ceil(node.node.wakeAtMonoMs));
    if (node.wakeAtMs > this.nowMs && node.wakeAtMs <= atMs) return;
    node.wakeAtMs = atMs;
    this.#schedule.at(atMs, () => {
      if (node.wakeAtMs !== atMs) return;
      node.wakeAtMs = Number.POSITIVE_INFINITY;
      this.tell(node.name, { kind: "tick" });
    });
  }

  get #moment(): { wallMs: number; monoMs: number } {
    return { wallMs: epochMs + this.nowMs, monoMs: this.nowMs };
  }

  later(inMs: number, run: () => void): void {
    this.#schedule.at(this.nowMs + inMs, run);
  }

  #delayMs(): number {
    return hopMsMin + this.random.below(hopMsMax - hopMsMin + 1);
  }
}

const closed = { kind: "upstream-closed", upstream: "root", why: "the process has ended" } as const;
