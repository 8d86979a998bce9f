import { backoffMsMax, backoffMsMin } from "./limits.ts";

/** How long to wait before the next attempt: full jitter under a bound that doubles. */
export class Backoff {
  readonly #random: () => number;
  #boundMs = backoffMsMin;

  /** `random` answers from 0 to 1, without 1. */
  constructor(random: () => number) {
    this.#random = random;
  }

  nextMs(): number {
    const ms = this.#random() * this.#boundMs;
    this.#boundMs = Math.min(this.#boundMs * 2, backoffMsMax);
    return ms;
  }

  reset(): void {
    this.#boundMs = backoffMsMin;
  }
}
