import { wayChangeIntervalMs } from "../cadence.ts";
import type { LedgerId } from "../ledger/position.ts";
import { holdingsCountMax, wayChangesBurstMax } from "../limits.ts";
import { RateLimit } from "../rate-limit.ts";

/**
 * When children are told that a ledger comes by another way. Where nodes were joined in a circle,
 * each may prefer the way through the other, and leave it as soon as it hears that the other has
 * done the same (Griffin, Shepherd and Wilfong, The Stable Paths Problem and Interdomain Routing).
 * Told at once they go on for ever; the first changes are, and further ones now and then, by when
 * the nodes of a circle are no longer in step. By an old way children only take frames from too
 * many or too few, and all are signed.
 */
export class WayNews {
  readonly #limit = new RateLimit({
    burst: wayChangesBurstMax,
    perSecond: 1_000 / wayChangeIntervalMs,
    keysMax: holdingsCountMax,
  });
  readonly #held = new Set<LedgerId>();

  /** Ledgers whose children have yet to be told. */
  get held(): ReadonlySet<LedgerId> {
    return this.#held;
  }

  /** Whether children may be told now. */
  mayTell(id: LedgerId, monoMs: number): boolean {
    const may = this.#limit.take(id, monoMs);
    if (may) this.#held.delete(id);
    else this.#held.add(id);
    return may;
  }

  /** It comes by the way that its children know, again. */
  settled(id: LedgerId): void {
    this.#held.delete(id);
  }
}
