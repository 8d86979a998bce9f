import { setTimeout as sleep } from "node:timers/promises";

/** Nothing more comes when nothing has come for so long. */
const settledMs = 150;

/** Counts what comes, and says when so much has come in all. */
export class DueCount {
  #count = 0;
  #due = Number.POSITIVE_INFINITY;
  #onDue: (() => void) | undefined;

  add(count: number): void {
    this.#count += count;
    if (this.#count >= this.#due) this.#onDue?.();
  }

  /** The count once nothing has come for a while. */
  async settle(): Promise<number> {
    for (let before = -1; before !== this.#count; await sleep(settledMs)) before = this.#count;
    return this.#count;
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
