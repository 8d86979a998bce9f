import { create } from "@bufbuild/protobuf";
import { type WatchResponse, WatchResponseSchema } from "../../gen/headwater/v1/apps_pb.ts";
import type { FlagTableChange } from "../../relay/layers/flag-table.ts";
import { bytesEqual, toHex } from "../../relay/trust/key.ts";
import type { NodeAccess } from "../access.ts";
import type { Watcher } from "./watcher.ts";

/** A complete table, its message made once for all who take it. */
export interface SharedTable {
  readonly position: Uint8Array;
  readonly freshness: string;
  readonly progress: bigint;
  readonly message: WatchResponse;
}

/** A change of a table, likewise. */
export interface SharedDelta extends SharedTable {
  readonly previous: Uint8Array;
}

/** Where a table is at some time. */
export interface Standing {
  /** Undefined while the project is EMPTY. */
  readonly position: Uint8Array | undefined;
  readonly freshness: string;
  readonly progress: bigint;
  readonly monoMs: number;
}

/** Positions that apps are brought forward from at one time; most share the last one. */
const deltasKeptMax = 32;

/** All who watch the same table: one project, one release. */
export class WatchGroup {
  readonly watchers: Set<Watcher> = new Set();
  readonly #access: NodeAccess;
  readonly project: string;
  /** Empty for unknown builds. */
  readonly release: string;
  #table: SharedTable | undefined;
  /** To the standing beside them, by where they start; undefined where only a table will do. */
  readonly #deltas = new Map<string, SharedDelta | undefined>();
  #deltasTo: Standing | undefined;

  constructor(of: { access: NodeAccess; project: string; release: string }) {
    this.#access = of.access;
    this.project = of.project;
    this.release = of.release;
  }

  freshness(): string {
    return this.#access.reads.freshness(this.project, this.#access.now().wallMs);
  }

  /** The table of now; undefined while the project is EMPTY. */
  table(): SharedTable | undefined {
    const table = this.#read();
    if (table === undefined) return undefined;
    const { position } = table;
    const freshness = this.freshness();
    const progress = this.#access.reads.progress(this.project);
    const known = this.#table;
    const isKnown = known?.freshness === freshness && known.progress === progress;
    if (isKnown && bytesEqual(known.position, position)) return known;
    const value = { position, freshness, flags: [...table.flags.values()], progress };
    const message = create(WatchResponseSchema, { frame: { case: "table", value } });
    this.#table = { position, freshness, progress, message };
    return this.#table;
  }

  /** What brings one who has the table of a position to that of now; undefined while there is none. */
  since(position: Uint8Array): SharedTable | undefined {
    return this.#deltaSince(position) ?? this.table();
  }

  /** Where the table is and how fresh, without building its message. */
  now(): Standing {
    return {
      position: this.#read()?.position,
      freshness: this.freshness(),
      progress: this.#access.reads.progress(this.project),
      monoMs: this.#access.now().monoMs,
    };
  }

  /** Brings all who watch to the table of now, by the changes that led to it where they can. */
  expose(changes: readonly FlagTableChange[]): void {
    const now = this.now();
    const deltas = changes.map((change) => sharedDelta(change, now));
    for (const watcher of this.watchers) {
      for (const delta of deltas) watcher.oweDelta(delta, now);
      watcher.catchUp(now);
    }
  }

  #deltaSince(position: Uint8Array): SharedDelta | undefined {
    const now = this.now();
    // What is no position is not kept either, however long it is.
    if (position.length !== now.position?.length) return undefined;
    if (this.#deltasTo === undefined || !isSame(this.#deltasTo, now)) this.#deltas.clear();
    this.#deltasTo = now;
    const key = toHex(position);
    if (this.#deltas.has(key)) return this.#deltas.get(key);
    const change = this.#read()?.changeSince(position);
    const delta = change && sharedDelta(change, now);
    if (this.#deltas.size >= deltasKeptMax) this.#deltas.clear();
    this.#deltas.set(key, delta);
    return delta;
  }

  /** A published release is a version that is taken for itself. */
  #read(): ReturnType<NodeAccess["reads"]["table"]> {
    return this.#access.reads.table(this.project, this.release, this.#access.now().wallMs);
  }
}

function isSame(a: Standing, b: Standing): boolean {
  const isAt = a.position && b.position && bytesEqual(a.position, b.position);
  return isAt === true && a.freshness === b.freshness && a.progress === b.progress;
}

function sharedDelta(
  change: FlagTableChange,
  { freshness, progress }: Pick<Standing, "freshness" | "progress">,
): SharedDelta {
  const { previous, position } = change;
  const value = {
    previous,
    position,
    freshness,
    flags: [...change.flags],
    removed: [...change.removed],
    progress,
  };
  const message = create(WatchResponseSchema, { frame: { case: "delta", value } });
  return { previous, position, freshness, progress, message };
}
