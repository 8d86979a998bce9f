import type { Document } from "../../gen/headwater/v1/telemetry_pb.ts";
import type { LinkId } from "../../relay/event.ts";
import { type DocumentKind, slotOf, Windows } from "../../relay/telemetry/window.ts";
import type { Hold } from "./checks.ts";
import type { Link } from "./link.ts";
import type { SimulatedNode } from "./simulated-node.ts";
import type { World } from "./world.ts";

/** Counts instances and documents as somebody does who sees all of them. */
export class TelemetryChecks {
  readonly #world: World;
  readonly #hold: Hold;
  readonly #project: string;
  /** Instances that have reported, by site. */
  readonly #instances = new Map<string, Set<string>>();
  readonly #accepted = new Set<string>();
  /** Parents, each with a site, that have heard of it while their clock was ahead. */
  readonly #heardAhead = new Set<string>();
  /** The clock of each when it last heard of the site. */
  readonly #heardMs = new Map<string, number>();
  /** What parents were told of, by site, project and kind. */
  readonly #told = new Map<string, { upstream: string; beginsMs: number }[]>();
  /** The last link before a node's disk was lost: what left on it is not known to what came after. */
  readonly #lastLinks = new Map<string, LinkId>();

  constructor(of: { world: World; hold: Hold; project: string }) {
    this.#world = of.world;
    this.#hold = of.hold;
    this.#project = of.project;
  }

  reported(site: string, instance: string): void {
    const instances = this.#instances.get(site) ?? new Set<string>();
    this.#instances.set(site, instances.add(instance));
  }

  /** A parent's memory of documents went with its disk, and a child's of whom it has told. */
  forget(node: string): void {
    this.#lastLinks.set(node, this.#world.network.newestLink);
    const { site } = this.#world.get(node).settings;
    for (const about of this.#told.keys())
      if (about.startsWith(`${site} `)) this.#told.delete(about);
    for (const key of this.#accepted) if (key.startsWith(`${node} `)) this.#accepted.delete(key);
  }

  documentAccepted(link: Link, document: Document): void {
    const { project, kind, window = 0n, windowMs = 0 } = document;
    const site = this.#world.get(link.child).settings.site;
    this.#renewClock(link.parent, site);
    const key = `${link.parent} ${site} ${project} ${kind} ${window * BigInt(windowMs)}`;
    this.#hold(
      "U5",
      link.parent,
      !this.#accepted.has(key),
      () => `it takes the ${kind} of ${site} for one window twice`,
    );
    this.#accepted.add(key);
    const isByFormerDisk = link.id <= (this.#lastLinks.get(link.child) ?? 0);
    if (!isByFormerDisk) this.#toldOnce(link, document);
    this.counted(this.#world.get(link.parent));
  }

  /**
   * What a parent hears while its clock is ahead counts for nothing once that is right, or is set back
   * further, and may come again.
   */
  #renewClock(parent: string, site: string): void {
    const { wallMs } = this.#world.momentOf(this.#world.get(parent));
    const from = `${parent} ${site} `;
    const isSetBack = wallMs < (this.#heardMs.get(from) ?? wallMs);
    this.#heardMs.set(from, wallMs);
    if (isSetBack || (wallMs <= this.#world.now.wallMs && this.#heardAhead.has(from))) {
      this.#heardAhead.delete(from);
      for (const key of this.#accepted) if (key.startsWith(from)) this.#accepted.delete(key);
    }
    if (wallMs > this.#world.now.wallMs) this.#heardAhead.add(from);
  }

  /** No time of a site is told to two parents, whichever of its nodes tells it. */
  #toldOnce(link: Link, document: Document): void {
    const { project, kind, window = 0n, windowMs = 0 } = document;
    const { site, siteSecret } = this.#world.get(link.child).settings;
    const about = `${site} ${project} ${kind}`;
    const slot = slotOf({ upstream: link.upstream, project, kind: kind as DocumentKind });
    const beginsMs = new Windows({ siteSecret, slot, windowMs }).startMs(Number(window));
    const told = this.#told.get(about) ?? [];
    const other = told.find(
      (one) =>
        one.upstream !== link.upstream &&
        one.beginsMs < beginsMs + windowMs &&
        beginsMs < one.beginsMs + windowMs,
    );
    this.#hold(
      "U5",
      link.parent,
      other === undefined,
      () => `it takes the ${kind} of ${site} for a time that ${other?.upstream} was told of`,
    );
    this.#told.set(about, [...told, { upstream: link.upstream, beginsMs }]);
  }

  /**
   * The ways up from a site to another. One that went over to another parent counts at both, until
   * what it told the former is too old: neither knows of the other. No way goes back.
   */
  #waysCount(from: string, to: string, passed: ReadonlySet<string> = new Set()): number {
    if (from === to) return 1;
    const nodes = [...this.#world.nodes.values()].filter(({ settings }) => settings.site === from);
    const joined = nodes.flatMap(({ name }) => this.#world.joined.get(name) ?? []);
    const parents = new Set(joined.map(({ id }) => id)).difference(passed);
    const here = new Set([...passed, from]);
    return [...parents].reduce((sum, parent) => sum + this.#waysCount(parent, to, here), 0);
  }

  /** No node may count more instances than there are. */
  counted(node: SimulatedNode): void {
    const fleet = node.node.reads.fleet(this.#project, this.#world.momentOf(node).wallMs);
    if (!fleet.ok) return;
    const { weights, instancesCount } = fleet.value;
    const own = this.#instances.get(node.settings.site)?.size ?? 0;
    this.#hold(
      "U5",
      node.name,
      instancesCount <= own,
      () => `it counts ${instancesCount} instances of its own, and has ${own}`,
    );
    const all = [...this.#instances].reduce(
      (sum, [site, { size }]) => sum + size * this.#waysCount(site, node.settings.site),
      0,
    );
    const counted = (weights?.releases ?? []).reduce((sum, { count = 0 }) => sum + count, 0);
    this.#hold(
      "U5",
      node.name,
      counted <= all,
      () => `it counts ${counted} instances, and there are ${all}`,
    );
  }
}
