/** So many streams are woken at once; then everything else has its turn. */
const batchMax = 250;

/** Wakes streams soon and a batch at a time: each of them encodes what it sends by itself. */
export class WakeBatches {
  /** Whoever has waited for longest is next; no more than there are, as those who leave are forgotten. */
  readonly #waiting = new Set<() => void>();
  #isDue = false;

  wake(streams: Iterable<() => void>): void {
    for (const wake of streams) this.#waiting.add(wake);
    this.#goOnSoon();
  }

  forget(wake: () => void): void {
    this.#waiting.delete(wake);
  }

  #goOnSoon(): void {
    if (this.#isDue || this.#waiting.size === 0) return;
    this.#isDue = true;
    setImmediate(() => {
      this.#isDue = false;
      for (const wake of this.#waiting.values().take(batchMax)) {
        this.#waiting.delete(wake);
        wake();
      }
      this.#goOnSoon();
    });
  }
}
