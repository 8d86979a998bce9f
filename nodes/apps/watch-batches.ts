import type { WatchGroup } from "./watch-group.ts";
import type { Watcher } from "./watcher.ts";

/** So many streams are written to at once; then everything else has its turn. */
const batchMax = 250;

/** As many of them are newcomers' at most: whoever comes does not keep a kill from those who are there. */
const newcomersMax = batchMax / 2;

/** Shows to all who watch where it stands, soon and a batch at a time: what comes meanwhile is in it. */
export class WatchBatches {
  /** Groups that some of theirs have not seen yet since they moved. */
  readonly #moved = new Set<WatchGroup<Watcher>>();
  /** In the order in which they came; no more than watch at all, as those who leave are forgotten. */
  readonly #newcomers = new Set<Watcher>();
  #isDue = false;

  greet(watcher: Watcher): void {
    this.#newcomers.add(watcher);
    this.#goOnSoon();
  }

  forget(watcher: Watcher): void {
    this.#newcomers.delete(watcher);
  }

  show(groups: Iterable<WatchGroup<Watcher>>): void {
    for (const group of groups) {
      group.moved();
      this.#moved.add(group);
    }
    this.#goOnSoon();
  }

  #goOnSoon(): void {
    if (this.#isDue || this.#newcomers.size + this.#moved.size === 0) return;
    this.#isDue = true;
    setImmediate(() => {
      this.#isDue = false;
      this.#goOn();
      this.#goOnSoon();
    });
  }

  /** Groups take turns, so that one that moves all the time leaves the others theirs. */
  #goOn(): void {
    const newcomers = [...this.#newcomers.values().take(newcomersMax)];
    for (const watcher of newcomers) {
      this.#newcomers.delete(watcher);
      watcher.see(watcher.group.now());
    }
    let left = batchMax - newcomers.length;
    for (const group of this.#moved) {
      if (left <= 0) return;
      this.#moved.delete(group);
      left -= group.show(left);
      if (!group.isSeen) this.#moved.add(group);
    }
  }
}
