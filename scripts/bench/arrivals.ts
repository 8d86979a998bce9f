/** When what came first showed each number, or a higher one, in milliseconds since 1970. */
export class Arrivals {
  readonly #atMs = new Map<number, number>();
  #highest = 0;

  /** A change that came with others has come with the last of them. */
  add(number: number): void {
    const atMs = performance.timeOrigin + performance.now();
    for (let next = this.#highest + 1; next <= number; next++) this.#atMs.set(next, atMs);
    this.#highest = Math.max(this.#highest, number);
  }

  /** Of those that have come. */
  get highest(): number {
    return this.#highest;
  }

  /** Undefined while it has not come. */
  at({ number }: { number: number }): number | undefined {
    return this.#atMs.get(number);
  }
}
