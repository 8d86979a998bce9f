import { inputBytesMax } from "./byte-mutator.ts";

/** Words before the bytes: how many inputs were begun, how many are done, the length of the last. */
const headWords = 3;

/**
 * The input under way, in memory that outlives the thread that tries it: a hang or a crash names
 * its input.
 */
export class InputSlot {
  readonly shared: SharedArrayBuffer;
  readonly #head: Int32Array;
  readonly #bytes: Uint8Array;

  constructor(shared?: SharedArrayBuffer) {
    this.shared = shared ?? new SharedArrayBuffer(4 * headWords + inputBytesMax);
    this.#head = new Int32Array(this.shared, 0, headWords);
    this.#bytes = new Uint8Array(this.shared, 4 * headWords);
  }

  begin(input: Uint8Array): void {
    this.#bytes.set(input.subarray(0, inputBytesMax));
    Atomics.store(this.#head, 2, input.length);
    Atomics.add(this.#head, 0, 1);
  }

  end(): void {
    Atomics.store(this.#head, 1, Atomics.load(this.#head, 0));
  }

  get begunCount(): number {
    return Atomics.load(this.#head, 0);
  }

  /** The input that was begun and has not ended. */
  get underWay(): Uint8Array | undefined {
    if (Atomics.load(this.#head, 0) === Atomics.load(this.#head, 1)) return undefined;
    return this.#bytes.slice(0, Atomics.load(this.#head, 2));
  }
}
