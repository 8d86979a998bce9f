import { dayMs, minuteMs, reportIntervalMs } from "../cadence.ts";

/** What a deployment can say of a feature, release or flag; the later word is the stronger one. */
export const censusAnswers = ["UNUSED", "UNKNOWN", "USED"] as const;

export type CensusAnswer = (typeof censusAnswers)[number];

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

/** A child that is silent for this long is no part of the answer any more, which then says so. */
const expelledAfterMs = 90 * dayMs;

/** The stronger of two: `used` before `unknown` before `unused`. */
export function joinAnswer(one: CensusAnswer, other: CensusAnswer): CensusAnswer {
  return censusAnswers.indexOf(one) > censusAnswers.indexOf(other) ? one : other;
}

/** The last window that everything about can have been heard of; below 0 there is none yet. */
export function windowToAnswer({ openedMs, windowMs }: CensusWindows, wallMs: number): number {
  return Math.floor((wallMs - openedMs - censusGraceMs - censusSkewMs) / windowMs) - 1;
}

interface Instance {
  readonly heardMs: number;
}

/**
 * One deployment's part in one question. It says `unused` of a window only when it was watching all
 * the time and nothing that it watched was lost or said otherwise: whatever it can not rule out is
 * `unknown`. Windows are counted from the opening, and answered once they are over.
 */
export class CensusWatch {
  readonly #windows: CensusWindows;
  /** By number; those without a word so far are absent. */
  readonly #found = new Map<number, CensusAnswer>();
  readonly #instances = new Map<string, Instance>();
  #watchedMs: number;

  /**
   * Who begins to watch after the opening can not know what was before, so windows open a while
   * after they are asked for.
   */
  constructor(windows: CensusWindows, wallMs: number) {
    this.#windows = windows;
    this.#watchedMs = wallMs;
    if (wallMs > windows.openedMs - censusSkewMs) this.#mark("UNKNOWN", windows.openedMs, wallMs);
  }

  /** A report: whether it was used since the instance started, and whether it was its last one. */
  hear(of: { instance: string; isUsed: boolean; isLast: boolean; wallMs: number }): void {
    this.watch(of.wallMs);
    const { instance, wallMs } = of;
    const heardMs = this.#instances.get(instance)?.heardMs ?? wallMs;
    if (of.isUsed) this.#mark("USED", heardMs, wallMs);
    if (of.isLast) this.#instances.delete(instance);
    else this.#instances.set(instance, { heardMs: wallMs });
  }

  /** Somebody is there who does not report: an app whose telemetry is off. */
  overhear(wallMs: number): void {
    this.#mark("UNKNOWN", wallMs, wallMs);
  }

  /** Time passes. Whoever was silent for too long may have used it before it went. */
  watch(wallMs: number): void {
    // A clock that was set back says nothing about how long it was.
    if (wallMs < this.#watchedMs) this.#mark("UNKNOWN", wallMs, this.#watchedMs);
    for (const [instance, { heardMs }] of this.#instances) {
      if (wallMs - heardMs <= censusGraceMs) continue;
      this.#mark("UNKNOWN", heardMs, wallMs);
      this.#instances.delete(instance);
    }
    this.#watchedMs = wallMs;
  }

  /** Nobody watched until now: a restart, or a node that was away. */
  resume(wallMs: number): void {
    this.#mark("UNKNOWN", Math.min(this.#watchedMs, wallMs), Math.max(this.#watchedMs, wallMs));
    this.#watchedMs = wallMs;
  }

  /** What there is to say of a window; nothing that is still going on is answered. */
  answer(window: number): CensusAnswer {
    if (window < 0 || window > windowToAnswer(this.#windows, this.#watchedMs)) return "UNKNOWN";
    return this.#found.get(window) ?? "UNUSED";
  }

  /** Windows that a time between two may lie in, for any clock of the chain. */
  #mark(answer: CensusAnswer, fromMs: number, toMs: number): void {
    const { openedMs, windowMs } = this.#windows;
    const at = (ms: number): number => Math.floor((ms - openedMs) / windowMs);
    const last = at(toMs + censusSkewMs);
    for (let n = Math.max(0, at(fromMs - censusGraceMs - censusSkewMs)); n <= last; n++)
      this.#found.set(n, joinAnswer(this.#found.get(n) ?? "UNUSED", answer));
  }
}

/** What an enrolled child has last said. */
export interface CensusChild {
  /** The window that it answered, and how. */
  readonly window: number;
  readonly answer: CensusAnswer;
  readonly heardMs: number;
}

/**
 * A parent's answer: no child is passed over in silence. One that has not answered for this window
 * makes it `unknown`; one that was silent for 90 days is expelled, and the answer says that there
 * was one. With nobody enrolled nothing can be known.
 */
export function joinChildren(
  children: readonly CensusChild[],
  of: { window: number; wallMs: number },
): { answer: CensusAnswer; isExpelled: boolean } {
  const heard = children.filter(({ heardMs }) => of.wallMs - heardMs <= expelledAfterMs);
  const isExpelled = heard.length < children.length;
  if (heard.length === 0) return { answer: "UNKNOWN", isExpelled };
  const answers = heard.map(({ window, answer }) => (window === of.window ? answer : "UNKNOWN"));
  return { answer: answers.reduce(joinAnswer), isExpelled };
}
