/** Who wants to hear of which event. */
export class Listeners<Events extends object> {
  readonly #listeners = new Map<keyof Events, Set<(event: never) => unknown>>();
  readonly #failed: (thrown: unknown) => void;

  /** `failed` hears what a listener throws: nobody else could catch it. */
  constructor(failed: (thrown: unknown) => void) {
    this.#failed = failed;
  }

  on<Name extends keyof Events>(name: Name, listener: (event: Events[Name]) => unknown): void {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(listener));
  }

  off<Name extends keyof Events>(name: Name, listener: (event: Events[Name]) => unknown): void {
    this.#listeners.get(name)?.delete(listener);
  }

  has(name: keyof Events): boolean {
    return (this.#listeners.get(name)?.size ?? 0) > 0;
  }

  emit<Name extends keyof Events>(name: Name, event: Events[Name]): void {
    const listeners = this.#listeners.get(name) ?? new Set();
    // A copy: whoever leaves and comes back while it is told would be told for ever.
    for (const listener of new Set(listeners)) {
      if (!listeners.has(listener)) continue;
      try {
        const answer = (listener as (event: Events[Name]) => unknown)(event);
        // Of an async listener, or its rejection would end the process.
        if (answer instanceof Promise) answer.catch(this.#failed);
      } catch (thrown) {
        this.#failed(thrown);
      }
    }
  }
}
