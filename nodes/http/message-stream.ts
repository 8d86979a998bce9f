import { HeadwaterError } from "../error.ts";

/** Lets one loop sleep until there is something to do. */
export class Wakening {
  #resolve: (() => void) | undefined;
  #woken = false;

  wake(): void {
    this.#woken = true;
    this.#resolve?.();
  }

  /** Resolves when `wake` was called since it last did. */
  async next(): Promise<void> {
    if (!this.#woken) {
      await new Promise<void>((resolve) => {
        this.#resolve = resolve;
      });
    }
    this.#woken = false;
  }
}

/**
 * The messages of one stream, each taken only when the one before has been handed over, until the
 * signal. Whoever aborts it has to wake the stream as well.
 * @throws HeadwaterError `unavailable` when it ends because the node stops
 */
export async function* messageStream<T>(of: {
  take: () => T | undefined;
  wakening: Wakening;
  signal: AbortSignal;
  shutdown: AbortSignal;
}): AsyncGenerator<T> {
  while (!of.signal.aborted) {
    const message = of.take();
    if (message === undefined) await of.wakening.next();
    else yield message;
  }
  if (of.shutdown.aborted) throw stopping();
}

/** What whoever is served hears when the node stops. */
export function stopping(): HeadwaterError {
  return new HeadwaterError({
    kind: "unavailable",
    message: "the node is stopping",
    hint: "Ask again, or another node of the site.",
  });
}
