import { backoffMsMax, backoffMsMin } from "./limits.ts";

/** How long to wait before the next attempt: full jitter under a bound that doubles. */
export class Backoff {
  readonly #random: () => number;
  readonly #bounds: { readonly minMs: number; readonly maxMs: number };
  #boundMs: number;

  /** `random` answers from 0 to 1, without 1. */
  constructor(random: () => number, bounds = { minMs: backoffMsMin, maxMs: backoffMsMax }) {
    this.#random = random;
    this.#bounds = bounds;
    this.#boundMs = bounds.minMs;
  }

  nextMs(): number {
    const ms = this.#random() * this.#boundMs;
    this.#boundMs = Math.min(this.#boundMs * 2, this.#bounds.maxMs);
    return ms;
  }

  reset(): void {
    this.#boundMs = this.#bounds.minMs;
  }
}
