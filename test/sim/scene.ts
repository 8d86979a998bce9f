import { create } from "@bufbuild/protobuf";
import type { Census } from "../../gen/headwater/v1/flag_pb.ts";
import {
  CommitRequestSchema,
  PromoteRequestSchema,
  UpdateTrustRequestSchema,
} from "../../gen/headwater/v1/ledgers_pb.ts";
import type { JoinToken } from "../../gen/headwater/v1/mesh_pb.ts";
import { minuteMs } from "../../relay/cadence.ts";
import { type LedgerId, ledgerId } from "../../relay/ledger/position.ts";
import { Random } from "../../relay/random.ts";
import type { Outcome } from "../../relay/refusal.ts";
import type { NodeSettings } from "../../relay/settings.ts";
import { toHex } from "../../relay/trust/key.ts";
import type { CensusApp } from "./census-apps.ts";
import { Checks } from "./checks.ts";
import { type FlagChange, flagValue, ruleValue } from "./flag-change.ts";
import { type Layout, layoutNamed } from "./layout.ts";
import {
  askToken,
  founderKeys,
  initOverlay,
  initProject,
  joinWith,
  overlayAuthority,
  type Power,
  publishReleases,
} from "./mesh.ts";
import { ProjectKeys } from "./project-keys.ts";
import { pinBasisPointsMax } from "./reference-fold.ts";
import type { SimulatedNode } from "./simulated-node.ts";
import type { Story } from "./story.ts";
import { World } from "./world.ts";

export const project = "horizon";

/** When a grant that ends does so, in milliseconds of a run. */
const grantEndsMs = 70_000;

const settleMs = 4_000;

/** A mesh in which a story takes place, with all who look on. */
export class Scene {
  readonly story: Story;
  readonly layout: Layout;
  readonly world: World;
  readonly checks: Checks;
  readonly keys: ProjectKeys;
  readonly ledger: LedgerId;
  /** For what a story leaves open, apart from the network's. */
  readonly random: Random;
  /** The vendor's overlay. */
  readonly overlay: { readonly authority: Uint8Array; readonly id: LedgerId } | undefined;
  /** The overlay of a second parent. */
  readonly #mirrored: Scene["overlay"];
  readonly #granted: readonly { readonly power: Power; readonly expiresMs: number }[];
  /** Of every node. */
  readonly #telemetry: NodeSettings["telemetry"];
  /** Nodes that are gone for good. */
  readonly gone = new Set<string>();
  /** The tokens that each node has joined with, by parent. */
  readonly tokens = new Map<string, Map<string, JoinToken>>();
  /** Nodes whose operators take part in censuses, and whether they say that they have no apps. */
  readonly enrolled = new Map<string, boolean>();
  readonly questions: Census[] = [];
  readonly apps: CensusApp[] = [];
  /** What operators see to once all is well again. */
  readonly atEnd: (() => void)[] = [];
  /** Who writes the project. */
  writer = "root";
  term = 1;
  hasEnded = false;
  /** Whether somebody has the first writer's key. */
  isKeyStolen = false;

  constructor(story: Story, telemetry: NodeSettings["telemetry"] = "ON") {
    this.story = story;
    this.#telemetry = telemetry;
    this.layout = layoutNamed(story.layout);
    this.world = new World(story.seed);
    this.random = new Random(story.seed ^ 0x5bd1e995);
    this.checks = new Checks(this.world, project);
    this.world.observer = this.checks.observer;
    const authority = overlayAuthority("vendor", project);
    this.overlay =
      story.overlay === "none" ? undefined : { authority, id: ledgerId({ project, authority }) };
    const mirrors = overlayAuthority("mirror", project);
    this.#mirrored = this.#has("mirror-rule")
      ? { authority: mirrors, id: ledgerId({ project, authority: mirrors }) }
      : undefined;
    this.#granted = this.#powers(authority);
    this.keys = new ProjectKeys(project, this.#granted);
    this.ledger = ledgerId({ project, authority: this.keys.authority });
  }

  /** Founds the project and joins all nodes: before that there is nothing to break. */
  begin(): void {
    this.world.add("root", {
      site: "upstream",
      telemetry: this.#telemetry,
      healthWindowMs: minuteMs,
      censusWindowMsMin: this.#censusWindowMsMin,
      ...(this.#hasStandby && { disclosure: this.story.disclosure, windowMs: minuteMs }),
    });
    initProject(this.world, "root", project, this.#granted);
    this.keys.adopt(founderKeys(project));
    publishReleases(this.world, "root", project, ["1.0.0", "1.1.0"]);
    this.#build();
  }

  #powers(authority: Uint8Array): { power: Power; expiresMs: number }[] {
    if (this.story.overlay !== "granted") return [];
    const value = { authority, flags: [], pinBasisPointsMax, aliases: true };
    const expiresMs = this.story.seed % 2 === 0 ? 0 : this.world.now.wallMs + grantEndsMs;
    return [{ power: { case: "overlay", value }, expiresMs }];
  }

  #build(): void {
    for (const { name, site, parents } of this.layout.nodes) {
      if (name !== "root") this.#add(name, site);
      for (const parent of parents) this.join(parent, name);
      this.world.run(settleMs);
      if (this.writesOverlay(name)) initOverlay(this.world, name, project);
    }
    for (const { name } of this.layout.nodes) this.world.fanout.started(this.world.get(name));
    this.world.run(settleMs);
  }

  /** Whether a node writes an overlay, which nobody else has. */
  writesOverlay(name: string): boolean {
    return (
      (name === "vendor" && this.overlay !== undefined) ||
      (name === "mirror" && this.#mirrored !== undefined)
    );
  }

  #has(verb: string): boolean {
    return this.story.actions.some(({ words }) => words[0] === verb);
  }

  #add(name: string, site: string): void {
    this.world.add(name, {
      site,
      telemetry: this.#telemetry,
      disclosure: this.story.disclosure,
      windowMs: minuteMs,
      healthWindowMs: minuteMs,
      censusWindowMsMin: this.#censusWindowMsMin,
    });
  }

  /** Where windows may be short, reports come that much more often. */
  get #censusWindowMsMin(): number | undefined {
    return this.#has("ask") ? minuteMs : undefined;
  }

  /** Whether the root may find itself below another node, to which it then tells what it knows. */
  get #hasStandby(): boolean {
    return this.story.actions.some(({ words }) => words[0] === "loop" && words[2] === "root");
  }

  /** What `child add` and `join` do, when both can now; whether the child has taken the token. */
  join(parent: string, child: string, expiresMs: number = 0): boolean {
    if (!this.isUp(parent) || !this.isUp(child)) return false;
    const answer = askToken(this.world, parent, child, expiresMs);
    if (answer?.ok !== true) return false;
    const token = answer.value;
    const tokens = this.tokens.get(child) ?? new Map<string, JoinToken>();
    this.tokens.set(child, tokens.set(parent, token));
    return joinWith(this.world, child, token)?.ok === true;
  }

  isUp(name: string): boolean {
    const node = this.world.nodes.get(name);
    if (node === undefined || this.gone.has(name)) return false;
    return node.isAlive && node.pausedUntilMs <= this.world.nowMs && !node.store.isFull;
  }

  parentsOf(name: string): string[] {
    return [...(this.tokens.get(name)?.keys() ?? [])].filter((parent) => !this.gone.has(parent));
  }

  /** Does something after a while, unless the faults have stopped before. */
  readonly later = (inMs: number, run: () => void): void => {
    this.world.later(inMs, () => {
      if (!this.hasEnded) run();
    });
  };

  /** Flags as the operator of the project changes them: undefined deletes. */
  change(changes: readonly FlagChange[]): void {
    const entries = changes.map(({ name, says }) => ({
      key: `flag/${name}`,
      value: says === "gone" ? undefined : flagValue(name, says),
    }));
    this.commit(this.writer, this.ledger, entries);
  }

  /** A rule of the vendor's overlay: `cap/flag-1` and what it says. */
  rule(name: string, says: string): void {
    if (this.overlay !== undefined) this.#rule("vendor", this.overlay.id, { name, says });
  }

  /** The same of the second parent's. */
  mirrorRule(name: string, says: string): void {
    if (this.#mirrored !== undefined) this.#rule("mirror", this.#mirrored.id, { name, says });
  }

  #rule(node: string, id: LedgerId, { name, says }: { name: string; says: string }): void {
    const value = says === "gone" ? undefined : ruleValue(name, Number(says));
    this.commit(node, id, [{ key: `rule/${name}`, value }]);
  }

  /** Commits at a node, and takes down what was acknowledged. */
  commit(
    node: string,
    id: LedgerId,
    changes: readonly { readonly key: string; readonly value: Uint8Array | undefined }[],
  ): Outcome<unknown> | undefined {
    if (!this.isUp(node)) return undefined;
    const { truth } = this.checks;
    const written = [this.overlay, this.#mirrored].find((one) => one?.id === id);
    const request = create(CommitRequestSchema, {
      ledger: { project, authority: written?.authority ?? this.keys.authority },
      entries: changes.flatMap(({ key, value }) => (value === undefined ? [] : [{ key, value }])),
      tombstones: changes.flatMap(({ key, value }) => (value === undefined ? [key] : [])),
    });
    for (const { key } of changes) truth.pending.add(key);
    const outcome = this.world.ask(node, (call) => ({ kind: "commit", call, request }));
    truth.pending.clear();
    for (const { key, value } of changes) {
      const isSure = outcome?.ok === true && !this.#isInThiefsHands(id);
      if (isSure) truth.acknowledge(id, key, value && toHex(value));
      else if (outcome === undefined || outcome.ok) truth.doubt(id, key);
    }
    if (outcome?.ok === true) this.#isDurable(node, id);
    return outcome;
  }

  #isInThiefsHands(id: LedgerId): boolean {
    return this.isKeyStolen && this.term === 1 && id === this.ledger;
  }

  #isDurable(node: string, id: LedgerId): void {
    const held = this.checks.ledgers.held(this.world.get(node), id);
    this.checks.hold("I4", node, held !== undefined, "it acknowledges what is not durable");
  }

  /** The next root of the project, in force from now on. */
  rotate(keepsOverlay: boolean): void {
    if (!this.isUp(this.writer)) return;
    this.keys.rotate(({ power }) => keepsOverlay || power.case !== "overlay");
    this.world.fault("rotation");
    this.publishTrust();
  }

  /** What `keys import` does. */
  publishTrust(node = this.writer): void {
    const ledger = { project, authority: this.keys.authority };
    const { trust } = this.keys;
    const request = create(UpdateTrustRequestSchema, { ledger, trust, actor: "operator" });
    this.world.ask(node, (call) => ({ kind: "update-trust", call, request }));
  }

  /** A node goes on as the writer, in the next term: it may not have heard of the newest roots. */
  promote(node: string): boolean {
    if (!this.isUp(node)) return false;
    this.publishTrust(node);
    const term = this.term + 1;
    const { ledgerKey, beatKey } = this.keys.keysOf(term);
    const request = create(PromoteRequestSchema, {
      ledger: { project, authority: this.keys.authority },
      term,
      ledgerSeed: ledgerKey.seed,
      beatSeed: beatKey.seed,
      grants: this.keys.grantsFor(term),
      force: true,
      actor: "operator",
    });
    const outcome = this.world.ask(node, (call) => ({ kind: "promote", call, request }));
    const held = this.checks.ledgers.held(this.world.get(node), this.ledger);
    const isTaken = held?.term === term;
    if (outcome?.ok === true)
      this.checks.hold("I4", node, isTaken, "it is the writer before that is durable");
    if (!isTaken) return false;
    this.term = term;
    this.writer = node;
    return true;
  }

  /** Nodes that a story may do something to. */
  get standing(): SimulatedNode[] {
    return this.layout.nodes.flatMap(({ name }) =>
      this.gone.has(name) ? [] : [this.world.get(name)],
    );
  }
}
