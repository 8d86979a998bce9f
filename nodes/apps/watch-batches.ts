import type { WatchGroup } from "./watch-group.ts";
import type { Watcher } from "./watcher.ts";

/** So many streams are written to at once; then everything else has its turn. */
const batchMax = 250;

/** Shows to all who watch where it stands, soon and a batch at a time: what comes meanwhile is in it. */
export class WatchBatches {
  /** Groups that some of theirs have not seen yet since they moved. */
  readonly #moved = new Set<WatchGroup>();
  /** In the order in which they came. */
  readonly #newcomers: Watcher[] = [];
  #isDue = false;

  greet(watcher: Watcher): void {
    this.#newcomers.push(watcher);
    this.#goOnSoon();
  }

  show(groups: Iterable<WatchGroup>): void {
    for (const group of groups) {
      group.moved();
      this.#moved.add(group);
    }
    this.#goOnSoon();
  }

  #goOnSoon(): void {
    if (this.#isDue || this.#newcomers.length + this.#moved.size === 0) return;
    this.#isDue = true;
    setImmediate(() => {
      this.#isDue = false;
      this.#goOn();
      this.#goOnSoon();
    });
  }

  /** Groups take turns, so that one that moves all the time leaves the others theirs. */
  #goOn(): void {
    const newcomers = this.#newcomers.splice(0, batchMax);
    for (const watcher of newcomers) watcher.see(watcher.group.now());
    let left = batchMax - newcomers.length;
    for (const group of this.#moved) {
      if (left <= 0) return;
      this.#moved.delete(group);
      left -= group.show(left);
      if (!group.isSeen) this.#moved.add(group);
    }
  }
}
