import { onTestFinished, vi } from "vitest";
import type { Happening, NodeAccess } from "../../../nodes/access.ts";

type Kind = Happening["kind"];
type Of<K extends Kind> = Extract<Happening, { readonly kind: K }>;

/** Stands for the node behind a server or client: keeps what it is told, answers as a test says. */
export class FakeNode implements Pick<NodeAccess, "ask" | "tell"> {
  readonly happenings: Happening[] = [];
  /** Called while being told, as the driver carries out effects before `tell` returns. */
  onTold: (happening: Happening) => void = () => {};
  answer: (happening: Happening) => unknown = () => ({});

  tell(happening: Happening): void {
    this.happenings.push(happening);
    this.onTold(happening);
  }

  async ask<T>(happening: (call: number) => Happening): Promise<T> {
    const asked = happening(this.happenings.length);
    this.happenings.push(asked);
    return (await this.answer(asked)) as T;
  }

  all<K extends Kind>(kind: K): Of<K>[] {
    return this.happenings.filter((happening): happening is Of<K> => happening.kind === kind);
  }

  /** The nth of a kind, once it has happened. */
  nth<K extends Kind>(kind: K, count = 1): Promise<Of<K>> {
    return eventually(() => {
      const happening = this.all(kind)[count - 1];
      if (happening === undefined) throw new Error(`not told of ${kind} ${count} times`);
      return happening;
    });
  }
}

/** Waits until a condition no longer throws; fails with its last failure after 20 s. */
export function eventually<T>(condition: () => T): Promise<T> {
  return vi.waitFor(condition, { timeout: 20_000, interval: 5 });
}

/** Timeouts pass only as the test says; intervals, immediates and Node's own timers are real. */
export function fakeTimeouts(): void {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
}
