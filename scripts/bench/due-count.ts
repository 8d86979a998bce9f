/** Counts what comes, and says when so much has come in all. */
export class DueCount {
  #count = 0;
  #due = Number.POSITIVE_INFINITY;
  #onDue: (() => void) | undefined;

  add(count: number): void {
    this.#count += count;
    if (this.#count >= this.#due) this.#onDue?.();
  }

  /** When so many have come in all, in milliseconds since 1970, to the microsecond. */
  hear(dueCount: number): Promise<number> {
    this.#due = dueCount;
    return new Promise((resolve) => {
      this.#onDue = () => {
        this.#due = Number.POSITIVE_INFINITY;
        resolve(performance.timeOrigin + performance.now());
      };
      this.add(0);
    });
  }
}
