import type { Effect, Write } from "./effect.ts";

/** A change of what a part holds: its writes are made durable, then it is accepted. */
export interface Pending {
  readonly writes: readonly Write[];
  accept(): void;
}

/** The same of a node as a whole, from which effects follow. */
export interface Consequence {
  readonly writes: readonly Write[];
  accept(): readonly Effect[];
}

/** What an event comes to: effects at once, and what follows once its writes are durable. */
export interface Staged extends Consequence {
  readonly effects: readonly Effect[];
  fail(why: string): readonly Effect[];
}

/** Nothing has to be durable for it. */
export function nothingBut(effects: readonly Effect[]): Staged {
  return { effects, writes: [], accept: () => [], fail: () => [] };
}
