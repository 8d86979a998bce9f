const none = -1;

/**
 * Slots in the order in which they were last touched, as a list that is linked through two arrays:
 * eight bytes a slot, and moving one makes no garbage.
 */
export class SlotOrder {
  #next = new Int32Array(0);
  #previous = new Int32Array(0);
  #first = none;
  #last = none;

  /** The one longest untouched. */
  get first(): number | undefined {
    return this.#first === none ? undefined : this.#first;
  }

  /** The one touched next after another. */
  after(slot: number): number | undefined {
    const next = this.#next[slot] ?? none;
    return next === none ? undefined : next;
  }

  grow(slotsCount: number): void {
    this.#next = grown(this.#next, slotsCount);
    this.#previous = grown(this.#previous, slotsCount);
  }

  append(slot: number): void {
    this.#next[slot] = none;
    this.#previous[slot] = this.#last;
    if (this.#last === none) this.#first = slot;
    else this.#next[this.#last] = slot;
    this.#last = slot;
  }

  remove(slot: number): void {
    const next = this.#next[slot] ?? none;
    const previous = this.#previous[slot] ?? none;
    if (previous === none) this.#first = next;
    else this.#next[previous] = next;
    if (next === none) this.#last = previous;
    else this.#previous[next] = previous;
  }
}

function grown(held: Int32Array<ArrayBuffer>, length: number): Int32Array<ArrayBuffer> {
  const longer = new Int32Array(length);
  longer.set(held);
  return longer;
}
