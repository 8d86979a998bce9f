import { snapshotKeptMs } from "../../relay/cadence.ts";
import type { Hold } from "./checks.ts";
import type { Link } from "./link.ts";
import type { World } from "./world.ts";

interface SentChunk {
  readonly bytes: Uint8Array;
  readonly atMs: number;
}

/** Looks at whether a process makes a snapshot once for all of its links (I14). */
export class ChunkChecks {
  readonly #world: World;
  readonly #hold: Hold;
  /** The bytes of each snapshot chunk that a process has made, by what it is. */
  readonly #chunks = new Map<string, Map<string, SentChunk>>();

  constructor(of: { world: World; hold: Hold }) {
    this.#world = of.world;
    this.#hold = of.hold;
  }

  /** A process has ended, and what it had made with it. */
  forget(node: string): void {
    this.#chunks.delete(node);
  }

  /** @param key which chunk of which snapshot it is */
  sent(link: Link, key: string, bytes: Uint8Array): void {
    const chunks = this.#chunks.get(link.parent) ?? new Map<string, SentChunk>();
    this.#chunks.set(link.parent, chunks);
    const { nowMs } = this.#world;
    const former = chunks.get(key);
    const isRecent = former !== undefined && nowMs - former.atMs < snapshotKeptMs;
    chunks.set(key, { bytes, atMs: nowMs });
    this.#hold(
      "I14",
      link.parent,
      !isRecent || former.bytes === bytes,
      () => `it builds the snapshot at ${key} twice`,
    );
  }
}
