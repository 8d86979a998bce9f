import type { Effect, Write } from "../effect.ts";

/** Something an operator asked for: first made durable, then done and answered. */
export interface Operation {
  readonly writes: readonly Write[];
  accept(): { readonly value: unknown; readonly effects: readonly Effect[] };
}
