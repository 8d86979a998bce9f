import type { OverlayAuthority } from "../../gen/headwater/v1/ledger_pb.ts";
import { BASIS_POINTS_MAX } from "../flag/bucket.ts";
import { type Decision, decide, type EffectiveFlag } from "../flag/effective-flag.ts";
import { splitEntryKey } from "../ledger/entry.ts";
import { type Freshness, freshnessOf, worstFreshness } from "../ledger/freshness.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { idleTablesMax } from "../limits.ts";
import { bytesEqual } from "../trust/key.ts";
import { overlayGrantsOf } from "../trust/trusted.ts";
import { type Build, buildOf } from "./build.ts";
import { FlagTable, type FlagTableChange } from "./flag-table.ts";
import { effectiveFlag, type Layers } from "./fold.ts";
import { Layer, ruleFlag } from "./layer.ts";

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
  readonly #overlays: readonly HeldLayer[];
  /** By release; those without watchers are dropped, the longest unused first. */
  readonly #tables = new Map<string, FlagTable>();
  /** How many watch, by version: which release that is may change while they do. */
  readonly #watchers = new Map<string, number>();
  /** The grants that tables were last folded with. */
  #granted: readonly OverlayAuthority[] = [];

  constructor(name: string, own: Ledger, overlays: readonly Ledger[]) {
    this.name = name;
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
    return this.#held().some(({ ledger }) => ledger.head === undefined);
  }

  layerOf(ledger: Ledger): Layer | undefined {
    return this.#held().find((held) => held.ledger === ledger)?.layer;
  }

  freshness(wallMs: number): Freshness {
    return worstFreshness(this.#held().map(({ ledger }) => freshnessOf(ledger, wallMs)));
  }

  buildOf(version: string): Build {
    return buildOf(this.#own.layer, version);
  }

  effective(flag: string, build: Build, wallMs: number): EffectiveFlag | undefined {
    return effectiveFlag(this.#layers(wallMs), flag, build);
  }

  decide(of: { flag: string; instance: string; version: string; wallMs: number }): Decision {
    if (this.isEmpty) return { enabled: false, reason: "EMPTY" };
    const effective = this.effective(of.flag, this.buildOf(of.version), of.wallMs);
    return decide(effective, of.instance, false);
  }

  /** The table for a version, made if need be; undefined while the project is EMPTY. */
  table(version: string, wallMs: number): FlagTable | undefined {
    if (this.isEmpty) return undefined;
    const build = this.buildOf(version);
    const table = this.#tables.get(build.release) ?? this.#fill(build, wallMs);
    this.#tables.delete(build.release);
    this.#tables.set(build.release, table);
    this.#dropIdle();
    return table;
  }

  /** Takes up a ledger's change; what it comes to, for the tables that there are. */
  changed(
    ledger: Ledger,
    keys: readonly string[],
    wallMs: number,
  ): { changes: FlagTableChange[]; vocabulary: boolean } {
    this.layerOf(ledger)?.update(ledger.entries, keys);
    const kinds = keys.map(splitEntryKey);
    const vocabulary = kinds.some(({ kind }) => kind === "release" || kind === "alias");
    const all =
      vocabulary || kinds.some(({ kind, name }) => kind === "rule" && name.endsWith("/*"));
    if (this.isEmpty) return { changes: [], vocabulary };
    const changes = [...this.#tables.values()].flatMap((table) => {
      const names = all
        ? new Set([...this.own.flags.keys(), ...table.flags.keys()])
        : new Set(kinds.map(({ kind, name }) => (kind === "rule" ? ruleFlag(name) : name)));
      return table.update(this.#effectives(names, this.buildOf(table.release), wallMs)) ?? [];
    });
    return { changes, vocabulary };
  }

  /** Folds all tables anew if grants have come or ended meanwhile; what that comes to. */
  refold(wallMs: number): FlagTableChange[] {
    const { trusted } = this.#own.ledger;
    if (this.#overlays.length === 0 || trusted === undefined) return [];
    const granted = overlayGrantsOf(trusted, wallMs);
    const known = this.#granted;
    if (granted.length === known.length && granted.every((one, i) => one === known[i])) return [];
    this.#granted = granted;
    if (this.isEmpty) return [];
    return [...this.#tables.values()].flatMap((table) => {
      const build = this.buildOf(table.release);
      return table.update(this.#effectives(this.own.flags.keys(), build, wallMs)) ?? [];
    });
  }

  /** Somebody begins (1) or ends (-1) to watch the table for a version. */
  watch(version: string, by: 1 | -1): void {
    const count = (this.#watchers.get(version) ?? 0) + by;
    if (count > 0) this.#watchers.set(version, count);
    else this.#watchers.delete(version);
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

  #dropIdle(): void {
    if (this.#tables.size <= idleTablesMax) return;
    const watched = new Set([...this.#watchers.keys()].map((one) => this.buildOf(one).release));
    const idle = [...this.#tables.keys()].filter((release) => !watched.has(release));
    for (const release of idle.slice(0, -idleTablesMax)) this.#tables.delete(release);
  }

  #layers(wallMs: number): Layers {
    const trusted = this.#own.ledger.trusted;
    const grants = trusted === undefined ? [] : overlayGrantsOf(trusted, wallMs);
    const overlays = this.#overlays.map(({ ledger, layer }) => {
      const granted = grants.filter((one) => bytesEqual(one.authority, ledger.name.authority));
      const mayPin = (flag: string, basisPoints: number): boolean =>
        basisPoints <= BASIS_POINTS_MAX &&
        granted.some(
          (one) =>
            basisPoints <= one.pinBasisPointsMax &&
            (one.flags.length === 0 || one.flags.includes(flag)),
        );
      return { layer, mayPin };
    });
    return { own: this.#own.layer, overlays };
  }

  #held(): readonly HeldLayer[] {
    return [this.#own, ...this.#overlays];
  }
}
