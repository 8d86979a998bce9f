import type { Effect, Write } from "./effect.ts";

/** What an event comes to: effects at once, and what follows once its writes are durable. */
export interface Staged {
  readonly effects: readonly Effect[];
  /** Without any, `accept` is called at once. */
  readonly writes: readonly Write[];
  accept(): readonly Effect[];
  fail(why: string): readonly Effect[];
}

/** Nothing has to be durable for it. */
export function nothingBut(effects: readonly Effect[]): Staged {
  return { effects, writes: [], accept: () => [], fail: () => [] };
}
