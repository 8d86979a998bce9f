import { fromBinary } from "@bufbuild/protobuf";
import { type WindowState, WindowStateSchema } from "../../gen/headwater/v1/store_pb.ts";
import type { Document } from "../../gen/headwater/v1/telemetry_pb.ts";
import type { Records } from "../durable.ts";
import { latestWindow, type Slot, Windows } from "./window.ts";

/** The last window of each slot that an upstream was told of, and what was shown of it. */
export class ToldWindows {
  readonly #siteSecret: Uint8Array;
  readonly #states = new Map<Slot, WindowState>();
  /** Slots with a state, by what they are about, whichever the upstream. */
  readonly #slots = new Map<string, Set<Slot>>();

  constructor(siteSecret: Uint8Array, records: Records) {
    this.#siteSecret = siteSecret;
    for (const [slot, bytes] of records.get("window") ?? [])
      this.set(slot, fromBinary(WindowStateSchema, bytes));
  }

  set(slot: Slot, state: WindowState): void {
    this.#states.set(slot, state);
    const about = aboutOf(slot);
    this.#slots.set(about, (this.#slots.get(about) ?? new Set<Slot>()).add(slot));
  }

  /**
   * Windows may have had another length before a restart; their starts rise all the same. One that
   * was told of while this clock was ahead is one that no parent whose clock is right has taken.
   */
  last(slot: Slot, windowMs: number, wallMs: number): number {
    const state = this.#states.get(slot);
    if (state === undefined) return -1;
    if (isToCome(state, windowMs, wallMs)) return -1;
    const formerMs = state.shown?.windowMs ?? windowMs;
    return Math.floor((Number(state.window) * formerMs) / windowMs);
  }

  /**
   * The end of the last window that another upstream may have been told of. One that comes after it
   * hears of what is later, so that above both nothing is counted twice.
   */
  elsewhereMs(slot: Slot, windowMs: number, wallMs: number): number {
    const ends = [...(this.#slots.get(aboutOf(slot)) ?? [])].flatMap((other) => {
      const state = this.#states.get(other);
      if (other === slot || state === undefined) return [];
      if (isToCome(state, windowMs, wallMs)) return [];
      return this.#startMs(other, state, { windowMs, after: 1 });
    });
    return Math.max(Number.NEGATIVE_INFINITY, ...ends);
  }

  /** What was shown last, if it was after the operator's consent: nothing from before is repeated. */
  shown(slot: Slot, windowMs: number, sinceMs: number): Document | undefined {
    const state = this.#states.get(slot);
    if (state === undefined) return undefined;
    return this.#startMs(slot, state, { windowMs, after: 0 }) >= sinceMs ? state.shown : undefined;
  }

  /** When a window began, or one that is so many after it. */
  #startMs(
    slot: Slot,
    { window, shown }: WindowState,
    of: { windowMs: number; after: number },
  ): number {
    const windowMs = shown?.windowMs ?? of.windowMs;
    const windows = new Windows({ siteSecret: this.#siteSecret, slot, windowMs });
    return windows.startMs(Number(window) + of.after);
  }
}

function isToCome({ window, shown }: WindowState, windowMs: number, wallMs: number): boolean {
  return Number(window) > latestWindow(shown?.windowMs ?? windowMs, wallMs);
}

/** A slot without its upstream. */
function aboutOf(slot: Slot): string {
  return slot.slice(slot.indexOf(" ") + 1);
}
