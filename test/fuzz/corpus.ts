import type { Random } from "../../relay/random.ts";

/** What is past it takes the place of something that was found before. */
const inputsCountMax = 2_000;

/** Inputs that others are made from: what is valid, and what has reached something new. */
export class Corpus {
  readonly #inputs: Uint8Array[];
  readonly #seedsCount: number;

  constructor(seeds: readonly Uint8Array[]) {
    this.#inputs = [...seeds];
    this.#seedsCount = seeds.length;
  }

  get size(): number {
    return this.#inputs.length;
  }

  keep(input: Uint8Array, random: Random): void {
    if (this.#inputs.length < inputsCountMax) this.#inputs.push(input);
    else this.#inputs[this.#seedsCount + random.below(inputsCountMax - this.#seedsCount)] = input;
  }

  pick(random: Random): Uint8Array {
    return this.#inputs[random.below(this.#inputs.length)] ?? new Uint8Array(0);
  }
}
