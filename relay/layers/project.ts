import { toBinary } from "@bufbuild/protobuf";
import { type OverlayAuthority, OverlayAuthoritySchema } from "../../gen/headwater/v1/ledger_pb.ts";
import { type Decision, decide, type EffectiveFlag } from "../flag/effective-flag.ts";
import type { FlagByRelease } from "../flag/flag-by-release.ts";
import { ruleFlag, splitEntryKey } from "../ledger/entry.ts";
import { type Freshness, freshnessOf, worstFreshness } from "../ledger/freshness.ts";
import type { EntryChanges, Ledger } from "../ledger/ledger.ts";
import { idleTablesMax } from "../limits.ts";
import { sha256, toHex } from "../trust/key.ts";
import { overlayGrantsOf } from "../trust/trusted.ts";
import { buildOf } from "./build.ts";
import { FlagTable } from "./flag-table.ts";
import { FlagsByRelease } from "./flags-by-release.ts";
import { effectiveFlag, type Layers } from "./fold.ts";
import { type Hold, holdOf } from "./hold.ts";
import { Layer } from "./layer.ts";
import { type Overlay, overlayOf, ungrantedKeys } from "./overlay.ts";
import { noChange, type ProjectChange } from "./project-change.ts";
import type { Build } from "./scope.ts";
import { termsOf } from "./terms.ts";
import { Watchers } from "./watchers.ts";

interface HeldLayer {
  readonly ledger: Ledger;
  readonly layer: Layer;
}

/**
 * A project as apps see it: its pinned layers folded, with a table for each release that somebody
 * has asked for. Missing one pinned layer it is EMPTY, so that nobody can drop a layer's kills by
 * leaving it out.
 */
export class Project {
  readonly name: string;
  readonly #own: HeldLayer;
  readonly #overlays: HeldLayer[];
  /** Overlays pinned while the project was served: until they come, it stays as it was. */
  readonly #late: Set<Ledger>;
  /** By release; those without watchers are dropped, the longest unused first. */
  readonly #tables = new Map<string, FlagTable>();
  readonly #byRelease = new FlagsByRelease();
  readonly #watchers: Watchers;
  /** The grants that tables were last folded with. */
  #granted: readonly OverlayAuthority[] = [];

  constructor(
    name: string,
    own: Ledger,
    overlays: readonly Ledger[],
    watchers: Watchers = new Watchers(),
    late: readonly Ledger[] = [],
  ) {
    this.name = name;
    this.#late = new Set(late);
    this.#watchers = watchers;
    this.#own = { ledger: own, layer: new Layer() };
    this.#overlays = overlays.map((ledger) => ({ ledger, layer: new Layer() }));
    for (const { ledger, layer } of this.#held())
      layer.update(ledger.entries, ledger.entries.keys());
  }

  get own(): Layer {
    return this.#own.layer;
  }

  get ownLedger(): Ledger {
    return this.#own.ledger;
  }

  get ledgers(): readonly Ledger[] {
    return this.#held().map(({ ledger }) => ledger);
  }

  get isEmpty(): boolean {
    return this.#held().some(({ ledger }) => ledger.head === undefined && !this.isLate(ledger));
  }

  /** Whether it is served without this overlay, which has never come. */
  isLate(ledger: Ledger): boolean {
    return ledger.head === undefined && this.#late.has(ledger);
  }

  /** More overlays are pinned. One that has not come leaves a served project at its last value. */
  extend(overlays: readonly Ledger[]): void {
    const isServed = !this.isEmpty;
    this.#byRelease.forgetAll();
    for (const ledger of overlays) {
      const layer = new Layer();
      layer.update(ledger.entries, ledger.entries.keys());
      this.#overlays.push({ ledger, layer });
      if (isServed) this.#late.add(ledger);
    }
  }

  /**
   * How far its layers have come, all together: of two states of the same layers, one of which
   * follows from the other, the later has more.
   */
  get progress(): bigint {
    const parts = this.ledgers.map(({ position }) =>
      position === undefined ? 0n : (BigInt(position.term) << 32n) + BigInt(position.seq),
    );
    return BigInt.asUintN(
      64,
      parts.reduce((sum, part) => sum + part, 0n),
    );
  }

  /** The grants that it was last folded with, as a text: equal for equal ones; empty without any. */
  get grantsText(): string {
    const grants = this.#granted.map((one) => toHex(toBinary(OverlayAuthoritySchema, one))).sort();
    return grants.length === 0 ? "" : toHex(sha256(Buffer.from(grants.join(" ")))).slice(0, 16);
  }

  layerOf(ledger: Ledger): Layer | undefined {
    return this.#held().find((held) => held.ledger === ledger)?.layer;
  }

  freshness(wallMs: number): Freshness {
    return worstFreshness(
      this.#held().map(({ ledger }) =>
        this.isLate(ledger) ? "STALE" : freshnessOf(ledger, wallMs),
      ),
    );
  }

  buildOf(version: string, wallMs: number): Build {
    const { own, overlays } = this.#layers(wallMs);
    return buildOf(own, overlays, version);
  }

  /** The cap that keeps a flag as it is now. */
  hold(flag: string, wallMs: number): Hold {
    return holdOf(this.#layers(wallMs), flag);
  }

  /** A digest of who takes a flag's path; equal as long as that is. */
  termsOf(flag: string, wallMs: number): Uint8Array {
    return termsOf(this.#layers(wallMs), flag);
  }

  /** An overlay with what it may do; undefined for the project's own ledger. */
  overlay(ledger: Ledger, wallMs: number): Overlay | undefined {
    const layer = this.layerOf(ledger);
    if (layer === undefined || ledger === this.ownLedger) return undefined;
    const { authority } = ledger.name;
    return overlayOf({ layer, authority, grants: this.#grants(wallMs) });
  }

  /** Keys of an overlay's entries that need a grant, have none, and so have no effect. */
  ungranted(ledger: Ledger, wallMs: number): string[] {
    const overlay = this.overlay(ledger, wallMs);
    return overlay === undefined ? [] : ungrantedKeys(overlay);
  }

  /** The same of entries that are not in it yet. */
  ungrantedAmong(ledger: Ledger, entries: EntryChanges["entries"], wallMs: number): string[] {
    const overlay = this.overlay(ledger, wallMs);
    if (overlay === undefined) return [];
    const layer = new Layer();
    const none = new Uint8Array(0);
    const held = new Map(entries.map(({ key, value }) => [key, { value, hash: none }]));
    layer.update(held, held.keys());
    return ungrantedKeys({ ...overlay, layer });
  }

  effective(flag: string, build: Build, wallMs: number): EffectiveFlag | undefined {
    return effectiveFlag(this.#layers(wallMs), flag, build);
  }

  /** One flag for every build; undefined when the project has no such flag, or is EMPTY. */
  byRelease(flag: string, wallMs: number): FlagByRelease | undefined {
    return this.isEmpty ? undefined : this.#byRelease.get(this.#layers(wallMs), flag);
  }

  /** The same of all flags; undefined while the project is EMPTY. */
  allByRelease(wallMs: number): FlagByRelease[] | undefined {
    if (this.isEmpty) return undefined;
    const layers = this.#layers(wallMs);
    return [...this.own.flags.keys()].flatMap((name) => this.#byRelease.get(layers, name) ?? []);
  }

  decide(of: { flag: string; instance: string; version: string; wallMs: number }): Decision {
    if (this.isEmpty) return { enabled: false, reason: "EMPTY" };
    const effective = this.effective(of.flag, this.buildOf(of.version, of.wallMs), of.wallMs);
    return decide(effective, of.instance, false);
  }

  /** The table for a version, made if need be; undefined while the project is EMPTY. */
  table(version: string, wallMs: number): FlagTable | undefined {
    if (this.isEmpty) return undefined;
    const build = this.buildOf(version, wallMs);
    const table = this.#tables.get(build.release) ?? this.#fill(build, wallMs);
    this.#tables.delete(build.release);
    this.#tables.set(build.release, table);
    this.#dropIdle(wallMs);
    return table;
  }

  /** Takes up a ledger's change; what it comes to, for the tables that there are. */
  changed(ledger: Ledger, keys: readonly string[], wallMs: number): ProjectChange {
    this.layerOf(ledger)?.update(ledger.entries, keys);
    const kinds = keys.map(splitEntryKey);
    // Else what has changed would be folded with other grants than the rest.
    const isRegranted = this.#renewGrants(wallMs);
    const vocabulary =
      (isRegranted && this.#hasOverlayAliases) ||
      kinds.some(({ kind }) => kind === "release" || kind === "alias");
    const all =
      isRegranted ||
      vocabulary ||
      kinds.some(({ kind, name }) => kind === "rule" && name.endsWith("/*"));
    if (all) this.#byRelease.forgetAll();
    for (const { kind, name } of kinds)
      this.#byRelease.forget(kind === "rule" ? ruleFlag(name) : name);
    if (this.isEmpty) return { changes: [], vocabulary };
    const changes = [...this.#tables.values()].flatMap((table) => {
      const names = all
        ? new Set([...this.own.flags.keys(), ...table.flags.keys()])
        : new Set(kinds.map(({ kind, name }) => (kind === "rule" ? ruleFlag(name) : name)));
      return (
        table.update(this.#effectives(names, this.buildOf(table.release, wallMs), wallMs)) ?? []
      );
    });
    return { changes, vocabulary };
  }

  /** Folds all tables anew if grants have come or ended meanwhile; what that comes to. */
  refold(wallMs: number): ProjectChange {
    if (!this.#renewGrants(wallMs)) return noChange;
    const vocabulary = this.#hasOverlayAliases;
    if (this.isEmpty) return { changes: [], vocabulary };
    const changes = [...this.#tables.values()].flatMap((table) => {
      const build = this.buildOf(table.release, wallMs);
      return table.update(this.#effectives(this.own.flags.keys(), build, wallMs)) ?? [];
    });
    return { changes, vocabulary };
  }

  /** Whether grants have come or ended since they were last asked for here. */
  #renewGrants(wallMs: number): boolean {
    if (this.#overlays.length === 0) return false;
    const granted = this.#grants(wallMs);
    const known = this.#granted;
    if (granted.length === known.length && granted.every((one, i) => one === known[i]))
      return false;
    this.#granted = granted;
    this.#byRelease.forgetAll();
    return true;
  }

  get #hasOverlayAliases(): boolean {
    return this.#overlays.some(({ layer }) => layer.aliases.size > 0);
  }

  #effectives(
    names: Iterable<string>,
    build: Build,
    wallMs: number,
  ): Map<string, EffectiveFlag | undefined> {
    const layers = this.#layers(wallMs);
    return new Map([...names].map((name) => [name, effectiveFlag(layers, name, build)]));
  }

  #fill(build: Build, wallMs: number): FlagTable {
    const effectives = this.#effectives(this.own.flags.keys(), build, wallMs);
    return new FlagTable(
      build.release,
      [...effectives.values()].flatMap((flag) => flag ?? []),
    );
  }

  #dropIdle(wallMs: number): void {
    if (this.#tables.size <= idleTablesMax) return;
    const versions = [...this.#watchers.versionsOf(this.name)];
    const watched = new Set(versions.map((version) => this.buildOf(version, wallMs).release));
    const idle = [...this.#tables.keys()].filter((release) => !watched.has(release));
    for (const release of idle.slice(0, -idleTablesMax)) this.#tables.delete(release);
  }

  #grants(wallMs: number): readonly OverlayAuthority[] {
    const { trusted } = this.#own.ledger;
    return trusted === undefined ? [] : overlayGrantsOf(trusted, wallMs);
  }

  #layers(wallMs: number): Layers {
    const grants = this.#overlays.length === 0 ? [] : this.#grants(wallMs);
    const overlays = this.#overlays.map(({ ledger, layer }) =>
      overlayOf({ layer, authority: ledger.name.authority, grants }),
    );
    return { own: this.#own.layer, overlays };
  }

  #held(): readonly HeldLayer[] {
    return [this.#own, ...this.#overlays];
  }
}
