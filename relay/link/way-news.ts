import { wayChangeIntervalMs } from "../cadence.ts";
import type { LedgerId } from "../ledger/position.ts";
import { holdingsCountMax, wayChangesBurstMax } from "../limits.ts";
import { RateLimit } from "../rate-limit.ts";
import { drawFraction } from "../trust/key.ts";

/**
 * When children are told that a ledger comes by another way. Where nodes were joined in a circle,
 * each may prefer the way through the other, and leave it as soon as it hears that the other has
 * done the same (Griffin, Shepherd and Wilfong, The Stable Paths Problem and Interdomain Routing).
 * Told at once they go on for ever; the first changes are, and further ones now and then, each
 * node at an interval of its own, so that those of a circle do not stay in step. By an old way
 * children only take frames from too many or too few, and all are signed.
 */
export class WayNews {
  readonly #limit: RateLimit;
  readonly #held = new Set<LedgerId>();

  constructor(nodeId: Uint8Array) {
    const intervalMs = wayChangeIntervalMs * (1 + drawFraction(nodeId, "ways"));
    this.#limit = new RateLimit({
      burst: wayChangesBurstMax,
      perSecond: 1_000 / intervalMs,
      keysMax: holdingsCountMax,
    });
  }

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
