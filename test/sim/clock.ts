import { secondMs } from "../../relay/cadence.ts";
import type { Moment } from "../../relay/event.ts";

/** Wall-clock time at the start of every run: 2026-01-01. */
const epochMs = Date.UTC(2026, 0, 1);

/** How often a node looks, as `Upkeep` has it. */
const lookIntervalMs = secondMs;

/** A node's clock, and what it said since the node last looked at what ends by its date. */
export class Clock {
  /** The wall clock less the true one. */
  #skewMs = 0;
  #lookedMonoMs = Number.NEGATIVE_INFINITY;
  #wallsMs: number[] = [];

  get skewMs(): number {
    return this.#skewMs;
  }

  at(nowMs: number): Moment {
    return { wallMs: Math.max(0, epochMs + nowMs + this.#skewMs), monoMs: nowMs };
  }

  set(skewMs: number, nowMs: number): void {
    this.#wallsMs.push(this.at(nowMs).wallMs);
    this.#skewMs = skewMs;
  }

  /** The node's process begins, and has not looked. */
  begin(): void {
    this.#lookedMonoMs = Number.NEGATIVE_INFINITY;
    this.#wallsMs = [];
  }

  ticked(nowMs: number): void {
    if (nowMs - this.#lookedMonoMs < lookIntervalMs) return;
    this.#lookedMonoMs = nowMs;
    this.#wallsMs = [this.at(nowMs).wallMs];
  }

  /** By the last look, and whenever the clock was set since, and now. */
  wallsMs(nowMs: number): readonly number[] {
    return [...this.#wallsMs, this.at(nowMs).wallMs];
  }
}
