import { create } from "@bufbuild/protobuf";
import { ReportRequestSchema } from "../../gen/headwater/v1/apps_pb.ts";
import { secondMs } from "../../relay/cadence.ts";
import { project, type Scene } from "./scene.ts";

/** As the SDK has them: how much later or earlier a report comes, and how soon after a failed one. */
const jitter = 0.1;
const backoffMsMin = 500;
const backoffMsMax = 30 * secondMs;

/** How often one that does not report asks for flags. */
const askMs = 5 * secondMs;

/** What an app does that a census may ask about. */
export type Use = "feature" | "flag";

/** The feature and the flag that are asked about. */
export const usable = { feature: "old-api", flag: "old-path" } as const;

/** A running copy of an app, which reports as the SDK does, or which does not report at all. */
export class CensusApp {
  readonly instance: string;
  readonly #scene: Scene;
  readonly #version: string;
  readonly #isMute: boolean;
  /** In the order in which they are tried. */
  readonly #nodes: string[];
  readonly #used = new Set<Use>();
  #boundMs = backoffMsMin;
  /** Counts the reports that were planned; only the last plan is carried out. */
  #plan = 0;
  #hasEnded = false;

  constructor(
    scene: Scene,
    of: { instance: string; node: string; version: string; isMute: boolean },
  ) {
    this.instance = of.instance;
    this.#scene = scene;
    this.#version = of.version;
    this.#isMute = of.isMute;
    const peers = scene.world.fanout.peersOf(scene.world.get(of.node));
    const others = peers.map(({ name }) => name).filter((name) => !isTwin(name));
    this.#nodes = [of.node, ...others];
    this.#report();
  }

  get site(): string {
    return this.#scene.world.get(this.#nodes[0] ?? "").settings.site;
  }

  /** It is told at once, when it is the first time. */
  use(what: Use): void {
    if (this.#hasEnded) return;
    const isNew = !this.#used.has(what);
    this.#used.add(what);
    // Of one that does not report nothing is seen but that it asks.
    const isSeen = !this.#isMute || this.#ask();
    if (isSeen) this.#noted(what);
    if (isNew && !this.#isMute) this.#report();
  }

  /** From now on another node of its site is tried first. */
  move(): void {
    const [first, ...others] = this.#nodes;
    if (first !== undefined) this.#nodes.splice(0, this.#nodes.length, ...others, first);
  }

  /** It says that it ends, or goes without a word. */
  end(isSaid: boolean): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#plan++;
    if (isSaid && !this.#isMute) this.#tell(true);
  }

  #report(): void {
    if (this.#hasEnded) return;
    const plan = ++this.#plan;
    const nextMs = this.#isMute ? this.#asked() : this.#tell(false);
    this.#scene.later(nextMs, () => {
      if (plan === this.#plan) this.#report();
    });
  }

  #asked(): number {
    this.#ask();
    return askMs;
  }

  /** False when no node has heard of it. */
  #ask(): boolean {
    const { world } = this.#scene;
    const node = this.#nodes.find((name) => this.#scene.isUp(name));
    if (node === undefined) return false;
    const { reads } = world.get(node).node;
    const { wallMs } = world.momentOf(world.get(node));
    if (reads.table(project, this.#version, wallMs) === undefined) return false;
    if (reads.isUnreported(project, "", wallMs))
      world.tell(node, { kind: "app-unreported", project });
    this.#scene.checks.census.heard(this.instance, node);
    return true;
  }

  /** In how many milliseconds it reports again. */
  #tell(isLast: boolean): number {
    this.#noted("version");
    for (const node of this.#nodes) {
      const nextMs = this.#tellOne(node, isLast);
      if (nextMs !== undefined) return nextMs * (1 + jitter * (2 * this.#fraction() - 1));
    }
    const waitMs = this.#fraction() * this.#boundMs;
    this.#boundMs = Math.min(2 * this.#boundMs, backoffMsMax);
    return waitMs;
  }

  #tellOne(node: string, last: boolean): number | undefined {
    const { world, checks } = this.#scene;
    const { faults } = world;
    if (!world.get(node).isAlive || world.chance("loss", faults.lossShare)) return undefined;
    const report = create(ReportRequestSchema, {
      project,
      version: this.#version,
      health: "OK",
      instance: this.instance,
      features: this.#used.has("feature") ? [usable.feature] : [],
      flags: this.#used.has("flag") ? [{ name: usable.flag, active: false }] : [],
      last,
    });
    checks.reported(node, report);
    const outcome = world.ask<{ nextAfterMs: number }>(node, (call) => ({
      kind: "report",
      call,
      report,
    }));
    if (outcome?.ok !== true) return undefined;
    checks.census.heard(this.instance, node);
    // The answer may be lost when the report was not.
    if (world.chance("loss", faults.lossShare)) return undefined;
    this.#boundMs = backoffMsMin;
    return outcome.value.nextAfterMs;
  }

  #noted(what: Use | "version"): void {
    const name = what === "version" ? this.#version : usable[what];
    this.#scene.checks.census.used({ site: this.site, instance: this.instance, what, name });
  }

  #fraction(): number {
    return this.#scene.random.fraction();
  }
}

function isTwin(name: string): boolean {
  return name.endsWith("-twin");
}
