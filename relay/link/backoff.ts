import { backoffMsMax, backoffMsMin } from "../cadence.ts";
import type { Random } from "../random.ts";

/**
 * Full jitter (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/): a wait
 * between nothing and a bound that doubles with each failure. Only an applied frame resets it, so
 * a link that opens and dies at once still slows down.
 */
export class Backoff {
  readonly #random: Random;
  readonly #msMin: number;
  readonly #msMax: number;
  #failuresCount = 0;

  constructor(random: Random, of: { readonly msMin?: number; readonly msMax?: number } = {}) {
    this.#random = random;
    this.#msMin = of.msMin ?? backoffMsMin;
    this.#msMax = of.msMax ?? backoffMsMax;
  }

  /** Milliseconds to wait, after one more failure. */
  next(): number {
    const bound = Math.min(this.#msMax, this.#msMin * 2 ** Math.min(this.#failuresCount, 16));
    this.#failuresCount++;
    return Math.floor(this.#random.fraction() * bound);
  }

  reset(): void {
    this.#failuresCount = 0;
  }
}
