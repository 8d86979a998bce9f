import { type FlagDifference, FlagTable, type ReceivedFlag } from "./flag-table.ts";
import { type Freshness, parseFreshness } from "./freshness.ts";
import type { WatchFrame } from "./node-stream.ts";

/** Who hears of what a feed takes up. */
export interface FlagFeedParts {
  readonly changed: (differences: readonly FlagDifference[]) => void;
  readonly freshnessChanged: (freshness: Freshness) => void;
  /** A node has sent flags; comes with each frame that vouches for them. */
  readonly served: () => void;
  /** A node has said that it holds none. */
  readonly refused: () => void;
}

/** The flags held, and how sure they are: from the cache file at first, then frame by frame. */
export class FlagFeed {
  readonly table: FlagTable = new FlagTable();
  readonly #parts: FlagFeedParts;
  #freshness: Freshness = "EMPTY";
  #hasServed = false;

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

  /** Takes up what a cache file has kept. No node is told of its position: files can be damaged. */
  restore(flags: readonly ReceivedFlag[]): void {
    if (this.table.replace({ flags }) !== undefined) this.#label("STALE");
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
    const differences = this.#takeFlags(frame);
    if (differences === undefined) return false;
    this.#hasServed = true;
    this.#parts.served();
    this.#label(freshness);
    // Last: whoever hears of it may ask for all of the above.
    if (frame.case !== "heartbeat") this.#parts.changed(differences);
    return true;
  }

  /** Nobody vouches for the flags any more. */
  fellSilent(): void {
    if (this.#freshness === "FRESH") this.#label("STALE");
  }

  /** What differs now; undefined where the frame does not follow. */
  #takeFlags(
    frame: Exclude<WatchFrame, { case: undefined }>,
  ): readonly FlagDifference[] | undefined {
    if (frame.case === "heartbeat") return this.table.isAt(frame.value.position) ? [] : undefined;
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
