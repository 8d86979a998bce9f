interface Listed {
  readonly slot: number;
  readonly rank: number;
}

/** So many are left when there are twice as many: three panels, for those who leave. */
const listedMin = 64;
const listedMax = 2 * listedMin;

/**
 * The slots with the lowest ranks, kept as they come and go, so that a panel is found without looking
 * at each instance. Ranks are drawn: nearly all who come or go change nothing here.
 */
export class LowestRanks {
  /** The lowest first. */
  #listed: Listed[] = [];
  /** All slots up to this rank are listed. */
  #rankMax = Number.POSITIVE_INFINITY;

  get slots(): number[] {
    return this.#listed.map(({ slot }) => slot);
  }

  /** Whether there is no slot that is not listed. */
  get isAll(): boolean {
    return this.#rankMax === Number.POSITIVE_INFINITY;
  }

  add(slot: number, rank: number): void {
    if (!(rank <= this.#rankMax)) return;
    const at = this.#listed.findIndex((other) => rank < other.rank);
    this.#listed.splice(at < 0 ? this.#listed.length : at, 0, { slot, rank });
    if (this.#listed.length <= listedMax) return;
    this.#rankMax = this.#listed[listedMin - 1]?.rank ?? this.#rankMax;
    this.#listed = this.#listed.filter((one) => one.rank <= this.#rankMax);
  }

  remove(slot: number, rank: number): void {
    if (!(rank <= this.#rankMax)) return;
    this.#listed = this.#listed.filter((one) => one.slot !== slot);
  }

  /** Begins anew with these: the rank of each slot, NaN where nobody is. */
  fill(ranks: Float64Array): void {
    this.#listed = [];
    this.#rankMax = Number.POSITIVE_INFINITY;
    for (let slot = 0; slot < ranks.length; slot++) {
      const rank = ranks[slot] ?? Number.NaN;
      if (rank <= this.#rankMax) this.add(slot, rank);
    }
  }
}
