import { startSilenceTimer } from "./timer.ts";

/** A signal that follows another one, and aborts by itself when time is up. */
export class Deadline {
  readonly #controller = new AbortController();
  readonly #outer: AbortSignal;
  readonly #follow = (): void => this.#controller.abort(this.#outer.reason);
  #cancel: () => void = () => {};

  constructor(outer: AbortSignal) {
    this.#outer = outer;
    if (outer.aborted) this.#follow();
    else outer.addEventListener("abort", this.#follow, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** From now; replaces what was set before. */
  set(ms: number): void {
    this.#cancel();
    this.#cancel = startSilenceTimer(ms, () => {
      this.#controller.abort(new Error(`no answer for ${ms / 1_000} s`));
    });
  }

  /** Ends whatever still runs under the signal. */
  close(): void {
    this.#cancel();
    this.#outer.removeEventListener("abort", this.#follow);
    this.#controller.abort();
  }
}
