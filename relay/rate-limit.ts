import { ratedAddressesMax } from "./limits.ts";

interface Bucket {
  tokens: number;
  monoMs: number;
}

/** A token bucket for each key. Past the bound on keys the longest unused starts afresh. */
export class RateLimit {
  readonly #burst: number;
  readonly #perSecond: number;
  readonly #keysMax: number;
  readonly #buckets = new Map<string, Bucket>();

  constructor(of: { burst: number; perSecond: number; keysMax?: number }) {
    this.#burst = of.burst;
    this.#perSecond = of.perSecond;
    this.#keysMax = of.keysMax ?? ratedAddressesMax;
  }

  /** Whether the key may go on now; nothing is spent. */
  allows(key: string, monoMs: number): boolean {
    return this.#tokens(key, monoMs) >= 1;
  }

  /** Spends tokens; false when there are not so many. */
  take(key: string, monoMs: number, count: number = 1): boolean {
    const tokens = this.#tokens(key, monoMs);
    const taken = tokens >= count;
    this.#buckets.delete(key);
    this.#buckets.set(key, { tokens: taken ? tokens - count : tokens, monoMs });
    this.#dropOldest();
    return taken;
  }

  #tokens(key: string, monoMs: number): number {
    const bucket = this.#buckets.get(key);
    if (bucket === undefined) return this.#burst;
    const earned = ((monoMs - bucket.monoMs) / 1_000) * this.#perSecond;
    return Math.min(this.#burst, bucket.tokens + earned);
  }

  #dropOldest(): void {
    for (const key of this.#buckets.keys()) {
      if (this.#buckets.size <= this.#keysMax) return;
      this.#buckets.delete(key);
    }
  }
}
