interface Due {
  readonly atMs: number;
  /** Of two at one time, the one that was put in first. */
  readonly order: number;
  run(): void;
}

/** What is to happen in simulated time: a binary heap by time, then by order of arrival. */
export class Schedule {
  readonly #queue: Due[] = [];
  #order = 0;

  at(atMs: number, run: () => void): void {
    const queue = this.#queue;
    queue.push({ atMs, order: this.#order++, run });
    let at = queue.length - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#isBefore(at, parent)) break;
      this.#swap(at, parent);
      at = parent;
    }
  }

  /** The next one, if it is due by then. */
  take(untilMs: number): Due | undefined {
    const next = this.#queue[0];
    if (next === undefined || next.atMs > untilMs) return undefined;
    this.#removeFirst();
    return next;
  }

  #removeFirst(): void {
    const queue = this.#queue;
    const last = queue.pop();
    if (last === undefined || queue.length === 0) return;
    queue[0] = last;
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      const child = left + 1 < queue.length && this.#isBefore(left + 1, left) ? left + 1 : left;
      if (child >= queue.length || !this.#isBefore(child, at)) return;
      this.#swap(child, at);
      at = child;
    }
  }

  #isBefore(a: number, b: number): boolean {
    const [one, other] = [this.#queue[a], this.#queue[b]];
    if (one === undefined || other === undefined) return false;
    return one.atMs < other.atMs || (one.atMs === other.atMs && one.order < other.order);
  }

  #swap(a: number, b: number): void {
    const [one, other] = [this.#queue[a], this.#queue[b]];
    if (one === undefined || other === undefined) return;
    this.#queue[a] = other;
    this.#queue[b] = one;
  }
}
