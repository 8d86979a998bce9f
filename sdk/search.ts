import { Backoff } from "./backoff.ts";
import { Deadline } from "./deadline.ts";
import { searchMsMax, searchMsMin } from "./limits.ts";
import type { NodeCalls } from "./node-calls.ts";
import type { NodeStream, WatchFrame } from "./node-stream.ts";
import { pause } from "./timer.ts";

/** What a search works with. */
export interface SearchParts {
  /** In the order in which they are looked at, over and over. */
  readonly nodes: readonly NodeCalls[];
  /** From 0 to 1, without 1. */
  readonly random: () => number;
  /** The position of what is held, and how far it has come. */
  readonly held: () => { readonly position: Uint8Array; readonly progress: bigint };
  /** Asks a node for what follows from what is held. */
  readonly open: (node: NodeCalls) => NodeStream;
  /** Comes once: the stream is the receiver's from then on, at its first frame. */
  readonly found: (stream: NodeStream) => void;
}

/**
 * Looks for a node that is FRESH, one at a time, while the one that serves is not: that one may be cut
 * off from a kill that others have.
 */
export class Search {
  readonly #parts: SearchParts;
  readonly #backoff: Backoff;
  readonly #ending: Deadline;
  #looked: NodeStream | undefined;

  constructor(parts: SearchParts, signal: AbortSignal) {
    this.#parts = parts;
    this.#backoff = new Backoff(parts.random, { minMs: searchMsMin, maxMs: searchMsMax });
    this.#ending = new Deadline(signal);
  }

  /** Ends when it has found one or is stopped, and never fails. */
  async run(): Promise<void> {
    const { nodes } = this.#parts;
    const { signal } = this.#ending;
    for (let at = 0; !signal.aborted; at = (at + 1) % nodes.length) {
      await pause(this.#backoff.nextMs(), signal);
      const node = nodes[at];
      if (node !== undefined && !signal.aborted) await this.#look(node);
    }
  }

  /** Idempotent. */
  stop(): void {
    this.#ending.close();
    this.#looked?.close();
    this.#looked = undefined;
  }

  async #look(node: NodeCalls): Promise<void> {
    // The flags held go on being brought forward meanwhile.
    const { position, progress } = this.#parts.held();
    const stream = this.#parts.open(node);
    this.#looked = stream;
    try {
      const frame = await stream.look();
      if (this.#parts.held().position === position && isSurer(frame, progress)) this.#find(stream);
    } catch {
      // No better than one that is not FRESH, and nothing that the app can not do without.
    }
    if (this.#looked === stream) stream.close();
  }

  #find(stream: NodeStream): void {
    this.#looked = undefined;
    this.#ending.close();
    this.#parts.found(stream);
  }
}

/** Whether a node is FRESH, and leads to nothing older: it could take a kill back. */
function isSurer(frame: WatchFrame, progress: bigint): boolean {
  if (frame.case === undefined || frame.value.freshness !== "FRESH") return false;
  return frame.case === "heartbeat" || frame.value.progress >= progress;
}
