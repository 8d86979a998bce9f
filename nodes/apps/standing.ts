import { create } from "@bufbuild/protobuf";
import { type WatchResponse, WatchResponseSchema } from "../../gen/headwater/v1/apps_pb.ts";
import { bytesEqual, toHex } from "../../relay/trust/key.ts";
import type { NodeReads } from "../access.ts";

type Table = NonNullable<ReturnType<NodeReads["table"]>>;

/** What brings an app to a position: a change of the table that it has, or all of it. */
export interface Step {
  readonly position: Uint8Array;
  readonly message: WatchResponse;
}

/** Positions that apps are brought forward from; most share the last one. */
const stepsKeptMax = 32;

/**
 * Where a table is at some time, and what those who watch it are told of that, each message made once
 * for all of them. It is good until the node takes its next step.
 */
export class Standing {
  /** Undefined while the project is EMPTY. */
  readonly position: Uint8Array | undefined;
  readonly freshness: string;
  readonly progress: bigint;
  readonly #table: Table | undefined;
  /** By where they start. */
  readonly #steps = new Map<string, Step | undefined>();
  /** Nearly all who ask one after the other are at the same position. */
  #lastFrom: Uint8Array | undefined;
  #lastStep: Step | undefined;
  #whole: Step | undefined;

  constructor(of: { table: Table | undefined; freshness: string; progress: bigint }) {
    this.#table = of.table;
    this.position = of.table?.position;
    this.freshness = of.freshness;
    this.progress = of.progress;
  }

  /** Whether nothing has moved between the two. */
  isLike(other: Standing): boolean {
    const [mine, theirs] = [this.position, other.position];
    const isAt = mine !== undefined && theirs !== undefined && bytesEqual(mine, theirs);
    return isAt && this.freshness === other.freshness && this.progress === other.progress;
  }

  /** For an app that has the table of a position; undefined where it has that of now, or there is none. */
  stepFrom(position: Uint8Array): Step | undefined {
    if (position !== this.#lastFrom) {
      this.#lastStep = this.#stepFrom(position);
      this.#lastFrom = position;
    }
    return this.#lastStep;
  }

  #stepFrom(from: Uint8Array): Step | undefined {
    const { position } = this;
    if (position === undefined || bytesEqual(from, position)) return undefined;
    // What is no position is not kept either, however long it is.
    if (from.length !== position.length) return this.#toTable();
    const key = toHex(from);
    if (this.#steps.size >= stepsKeptMax && !this.#steps.has(key)) this.#steps.clear();
    const step = this.#steps.get(key) ?? this.#byDelta(from) ?? this.#toTable();
    this.#steps.set(key, step);
    return step;
  }

  #byDelta(from: Uint8Array): Step | undefined {
    const change = this.#table?.changeSince(from);
    if (change === undefined) return undefined;
    const { previous, position, flags, removed } = change;
    const { freshness, progress } = this;
    const parts = { previous, position, flags: [...flags], removed: [...removed] };
    const value = { ...parts, freshness, progress };
    const message = create(WatchResponseSchema, { frame: { case: "delta", value } });
    return { position, message };
  }

  #toTable(): Step | undefined {
    const { freshness, progress } = this;
    if (this.#table === undefined) return undefined;
    if (this.#whole !== undefined) return this.#whole;
    const { position } = this.#table;
    const value = { position, freshness, progress, flags: [...this.#table.flags.values()] };
    const message = create(WatchResponseSchema, { frame: { case: "table", value } });
    this.#whole = { position, message };
    return this.#whole;
  }
}
