import { dayMs, minuteMs, reportIntervalMs } from "../../cadence.ts";

/** When a question was opened and how long its windows are, in milliseconds of the wall clock. */
export interface CensusWindows {
  readonly openedMs: number;
  readonly windowMs: number;
}

/**
 * How long after it was true something may still be heard: an instance is silent for two report
 * intervals before it counts as lost.
 */
export const censusGraceMs: number = 2 * reportIntervalMs;

/** How far clocks of a chain may be apart: what is further from ours is refused everywhere else. */
export const censusSkewMs: number = 10 * minuteMs;

/** The same for windows of seconds, as demos have: reports come that much more often. */
export function graceMsOf({ windowMs }: CensusWindows): number {
  return Math.min(censusGraceMs, windowMs / 4);
}

export function skewMsOf({ windowMs }: CensusWindows): number {
  return Math.min(censusSkewMs, windowMs / 20);
}

/** The last window that everything about can have been heard of; below 0 there is none yet. */
export function windowToAnswer(windows: CensusWindows, wallMs: number): number {
  const lateMs = graceMsOf(windows) + skewMsOf(windows);
  return Math.floor((wallMs - windows.openedMs - lateMs) / windows.windowMs) - 1;
}

/** A child or a node of the site that is silent for so long is left out; the answer then says so. */
export const expelledAfterMs: number = 90 * dayMs;
