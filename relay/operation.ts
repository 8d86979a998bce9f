import type { Effect, Write } from "./effect.ts";
import type { Event, OperatorEvent } from "./event.ts";

/** Something an operator asked for: first made durable, then done and answered. */
export interface Operation {
  readonly writes: readonly Write[];
  accept(): { readonly value: unknown; readonly effects: readonly Effect[] };
}

/** What an operator asked for, and when. */
export type OperationEvent<K extends OperatorEvent["kind"]> = Extract<Event, { kind: K }>;
