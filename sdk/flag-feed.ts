import { type FlagDifference, FlagTable, type ReceivedFlag } from "./flag-table.ts";
import { type Freshness, parseFreshness } from "./freshness.ts";
import { behindMsMax } from "./limits.ts";
import type { WatchFrame } from "./node-stream.ts";

/** Who hears of what a feed takes up. */
export interface FlagFeedParts {
  readonly changed: (differences: readonly FlagDifference[]) => void;
  readonly freshnessChanged: (freshness: Freshness) => void;
  /** A node has sent flags; comes with each frame that vouches for them. */
  readonly served: () => void;
  /** A node has said that it holds none. */
  readonly refused: () => void;
  /** A node has come less far than the flags held, and sends none until it has caught up. */
  readonly fellBehind: () => void;
  /** No node has come as far as the flags held any more, or one has again. */
  readonly behindChanged: () => void;
}

/** What a cache file has kept of a feed. */
export interface KeptFeed {
  readonly flags: readonly ReceivedFlag[];
  readonly progress?: bigint | undefined;
  readonly behindSinceMs?: number | undefined;
}

/** The flags held, and how sure they are: from the cache file at first, then frame by frame. */
export class FlagFeed {
  readonly table: FlagTable = new FlagTable();
  readonly #parts: FlagFeedParts;
  #freshness: Freshness = "EMPTY";
  #hasServed = false;
  #behindSinceMs: number | undefined;

  constructor(parts: FlagFeedParts) {
    this.#parts = parts;
  }

  get freshness(): Freshness {
    return this.#freshness;
  }

  /** Whether a node has vouched for the flags, ever. */
  get hasServed(): boolean {
    return this.#hasServed;
  }

  /** Wall-clock milliseconds since when no node has come as far as the flags held; undefined where one has. */
  get behindSinceMs(): number | undefined {
    return this.#behindSinceMs;
  }

  /**
   * What a node is told of the flags held. A node gives in to its own time, but counts it by stream,
   * and an app may never have one for so long: a job, or one that crashes again and again.
   */
  get held(): { readonly position: Uint8Array; readonly progress: bigint } {
    const { position, progress } = this.table;
    return { position, progress: this.#isWaitOver() ? 0n : progress };
  }

  /**
   * Takes up what a cache file has kept. No node is told of its position, as files can be damaged, but
   * of how far it has come: a kill that was seen before the restart is not taken back.
   */
  restore({ flags, progress = 0n, behindSinceMs }: KeptFeed): readonly FlagDifference[] {
    const differences = this.table.replace({ flags, progress });
    if (differences === undefined) return [];
    this.#behindSinceMs = behindSinceMs;
    this.#label("STALE");
    return differences;
  }

  /** False when the frame does not follow from what is held, and everything must be sent anew. */
  take(frame: WatchFrame): boolean {
    if (frame.case === undefined) return true;
    const freshness = parseFreshness(frame.value.freshness);
    // A node that has nothing verified says nothing about the flags, least of all that they are gone.
    if (freshness === "EMPTY") {
      this.fellSilent();
      this.#parts.refused();
      return true;
    }
    if (this.#isBehind(frame)) {
      this.fellSilent();
      this.#parts.fellBehind();
      this.#setBehind(this.#behindSinceMs ?? Date.now());
      return true;
    }
    const differences = this.#takeFlags(frame);
    if (differences === undefined) return false;
    this.#hasServed = true;
    this.#parts.served();
    this.#setBehind(undefined);
    this.#label(freshness);
    // Last: whoever hears of it may ask for all of the above.
    if (frame.case !== "heartbeat") this.#parts.changed(differences);
    return true;
  }

  /** Nobody vouches for the flags any more. */
  fellSilent(): void {
    if (this.#freshness === "FRESH") this.#label("STALE");
  }

  /** Whoever is behind says so with a heartbeat at what the app has said that it has. */
  #isBehind({ case: kind, value }: WatchFrame): boolean {
    if (kind !== "heartbeat" || parseFreshness(value.freshness) === "FRESH") return false;
    const { table } = this;
    if (table.isEmpty || table.progress === 0n) return false;
    if (value.position.length === 0) return true;
    return value.progress > 0n && value.progress < table.progress && table.isAt(value.position);
  }

  /** A time to come, from before the clock was set back, is no reason to wait for longer. */
  #isWaitOver(): boolean {
    const since = this.#behindSinceMs;
    return since !== undefined && Math.abs(Date.now() - since) >= behindMsMax;
  }

  #setBehind(sinceMs: number | undefined): void {
    if (sinceMs === this.#behindSinceMs) return;
    this.#behindSinceMs = sinceMs;
    this.#parts.behindChanged();
  }

  /** What differs now; undefined where the frame does not follow. */
  #takeFlags(
    frame: Exclude<WatchFrame, { case: undefined }>,
  ): readonly FlagDifference[] | undefined {
    if (frame.case === "heartbeat") return this.table.confirm(frame.value) ? [] : undefined;
    return frame.case === "table"
      ? this.table.replace(frame.value)
      : this.table.change(frame.value);
  }

  #label(freshness: Freshness): void {
    if (freshness === this.#freshness) return;
    this.#freshness = freshness;
    this.#parts.freshnessChanged(freshness);
  }
}
