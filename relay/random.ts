/**
 * Random numbers from a seed: sfc32 by Chris Doty-Humphrey (PractRand), so that a run can be
 * repeated. Not for secrets.
 */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: number) {
    this.#a = seed >>> 0;
    this.#b = 0x9e3779b9;
    this.#c = 0x243f6a88;
    for (let i = 0; i < 15; i++) this.uint32();
  }

  /** 0 to 2^32 - 1. */
  uint32(): number {
    const t = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + t) | 0;
    return t >>> 0;
  }

  /** 0 to 1, without 1. */
  fraction(): number {
    return this.uint32() / 2 ** 32;
  }

  /** 0 to below - 1. */
  below(below: number): number {
    return Math.floor(this.fraction() * below);
  }
}
