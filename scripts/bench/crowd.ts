import { setTimeout as sleep } from "node:timers/promises";
import { backoffMsMin } from "../../relay/cadence.ts";
import { DueCount } from "./due-count.ts";

/** Who has not been let in by then never is. */
const lateMs = 300_000;

/** What all have heard that came at once. */
export interface Reconnected {
  /** When the last had, in milliseconds since 1970. */
  readonly atMs: number;
  /** Of one of them. */
  readonly bytesCount: number;
}

/** How one of many dials: the bytes that it has heard once it is FRESH, unless it was not let in. */
type Dial = (n: number) => Promise<number | undefined>;

/** Many that lose what they are connected to, and come again all at once. */
export class Crowd {
  #fresh = new DueCount();
  #sighted = new DueCount();
  #text: Buffer | undefined;
  readonly #seers = new Set<number>();

  /** One after the other; resolves when all are FRESH. */
  async connect(count: number, dial: Dial): Promise<void> {
    for (let n = 0; n < count; n++) await untilLetIn(() => dial(n));
  }

  async reconnect(count: number, dial: Dial): Promise<Reconnected> {
    const fresh = new DueCount();
    this.#fresh = fresh;
    const one = async (n: number): Promise<number> => {
      const bytesCount = await untilLetIn(() => dial(n));
      fresh.add(1);
      return bytesCount;
    };
    const [bytesCount = 0] = await Promise.all(Array.from({ length: count }, (_, n) => one(n)));
    return { atMs: await fresh.hear(count), bytesCount };
  }

  /** Resolves once so many of those who come again are FRESH. */
  fresh({ count }: { count: number }): Promise<number> {
    return this.#fresh.hear(count);
  }

  /** Looks for a text in all that they hear from now on. */
  look({ text }: { text: string }): void {
    this.#text = Buffer.from(text);
    this.#seers.clear();
    this.#sighted = new DueCount();
  }

  /** When so many have heard the text that is looked for, in milliseconds since 1970. */
  sight({ count }: { count: number }): Promise<number> {
    return this.#sighted.hear(count);
  }

  /** Whether the text that is looked for stands in what one of them hears. */
  isSight(message: Buffer): boolean {
    return this.#text !== undefined && message.includes(this.#text);
  }

  /** The nth has it. */
  sighted(n: number): void {
    if (this.#seers.has(n)) return;
    this.#seers.add(n);
    this.#sighted.add(1);
  }
}

/** @throws Error when it never is */
export async function untilLetIn<T>(dial: () => Promise<T | undefined>): Promise<T> {
  for (const endMs = performance.now() + lateMs; performance.now() < endMs; ) {
    const said = await dial();
    if (said !== undefined) return said;
    await sleep(Math.random() * backoffMsMin);
  }
  throw new Error(`was not let in within ${lateMs} ms`);
}
