import { dayMs, minuteMs, reportIntervalMs } from "../cadence.ts";
import { censusSpansMax } from "../limits.ts";

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

/** Windows whose evidence is kept after they could be answered. */
const windowsKept = 4;

/** The same for windows of seconds, as demos have: reports come that much more often. */
export function graceMsOf({ windowMs }: CensusWindows): number {
  return Math.min(censusGraceMs, windowMs / 4);
}

function skewMsOf({ windowMs }: CensusWindows): number {
  return Math.min(censusSkewMs, windowMs / 20);
}

/** The stronger of two: `used` before `unknown` before `unused`. */
export function joinAnswer(one: CensusAnswer, other: CensusAnswer): CensusAnswer {
  return censusAnswers.indexOf(one) > censusAnswers.indexOf(other) ? one : other;
}

/** The last window that everything about can have been heard of; below 0 there is none yet. */
export function windowToAnswer(windows: CensusWindows, wallMs: number): number {
  const lateMs = graceMsOf(windows) + skewMsOf(windows);
  return Math.floor((wallMs - windows.openedMs - lateMs) / windows.windowMs) - 1;
}

/** A time during which somebody watched. */
export interface WatchedSpan {
  readonly fromMs: number;
  readonly toMs: number;
}

/**
 * What was seen, in the form in which it is kept. All three are sets that only grow, so what
 * several nodes of a site have seen together is the union of each: this is where a peer's evidence
 * is to be added, and `answer` then holds for the site. A peer may add the spans of its own watching
 * only for times at which it heard of every report in the site.
 */
export interface Evidence {
  /** Windows by number. */
  readonly used: readonly number[];
  readonly doubted: readonly number[];
  readonly watched: readonly WatchedSpan[];
}

/**
 * One deployment's part in one question. It says `unused` of a window only when it was watching all
 * the time and nothing that it watched was lost or said otherwise: whatever it can not rule out is
 * `unknown`. Windows are counted from the opening, and answered once they are over.
 */
export class CensusWatch {
  readonly #windows: CensusWindows;
  readonly #used: Set<number>;
  readonly #doubted: Set<number>;
  #spans: WatchedSpan[];
  /** When each was last heard, the longest unheard first. */
  readonly #heard = new Map<string, number>();
  #watchedMs: number;

  /** @param held what was kept from before; between then and now nobody watched */
  constructor(windows: CensusWindows, wallMs: number, held?: Evidence) {
    this.#windows = windows;
    this.#used = new Set(held?.used);
    this.#doubted = new Set(held?.doubted);
    // What was watched while the clock was ahead has not come yet.
    this.#spans = (held?.watched ?? []).flatMap(({ fromMs, toMs }) =>
      fromMs > wallMs ? [] : [{ fromMs, toMs: Math.min(toMs, wallMs) }],
    );
    this.#watchedMs = wallMs;
    this.#begin(wallMs);
  }

  get evidence(): Evidence {
    return { used: [...this.#used], doubted: [...this.#doubted], watched: this.#spans };
  }

  /** A report: whether it was used since the instance started, and whether it was its last one. */
  hear(of: { instance: string; isUsed: boolean; isLast: boolean; wallMs: number }): void {
    this.watch(of.wallMs);
    const { instance, wallMs } = of;
    if (of.isUsed) this.#mark(this.#used, this.#heard.get(instance) ?? wallMs, wallMs);
    this.#heard.delete(instance);
    if (!of.isLast) this.#heard.set(instance, wallMs);
  }

  /** Whether somebody who does not report would change nothing any more. */
  isDoubted(wallMs: number): boolean {
    const windows = this.#around(wallMs, wallMs);
    return windows.every((window) => this.#doubted.has(window) || this.#used.has(window));
  }

  /** Somebody is there who does not report: an app whose telemetry is off. */
  overhear(wallMs: number): void {
    this.#mark(this.#doubted, wallMs, wallMs);
  }

  /** Time passes. Whoever was silent for too long may have used it before it went. */
  watch(wallMs: number): void {
    // A clock that was set back says nothing about how long it was.
    if (wallMs < this.#watchedMs) this.#mark(this.#doubted, wallMs, this.#watchedMs);
    const isGap = wallMs - this.#watchedMs > graceMsOf(this.#windows);
    for (const [instance, heardMs] of this.#heard) {
      if (wallMs - heardMs <= graceMsOf(this.#windows)) break;
      this.#mark(this.#doubted, heardMs, wallMs);
      this.#heard.delete(instance);
    }
    this.#watchedMs = wallMs;
    const last = this.#spans.at(-1);
    // A machine that slept has missed reports.
    if (isGap || last === undefined) this.#begin(wallMs);
    else this.#spans.splice(-1, 1, { ...last, toMs: Math.max(last.toMs, wallMs) });
    this.#forget();
  }

  /** Nobody watched until now: a restart, or a node that was away. */
  resume(wallMs: number): void {
    if (wallMs < this.#watchedMs) this.#mark(this.#doubted, wallMs, this.#watchedMs);
    this.#heard.clear();
    this.#watchedMs = wallMs;
    this.#begin(wallMs);
  }

  /** What there is to say of a window; nothing that is still going on is answered. */
  answer(window: number): CensusAnswer {
    if (window < 0 || window > windowToAnswer(this.#windows, this.#watchedMs)) return "UNKNOWN";
    if (this.#used.has(window)) return "USED";
    return this.#doubted.has(window) || !this.#isWatched(window) ? "UNKNOWN" : "UNUSED";
  }

  /** Only what was heard or doubted; undefined where nothing was. */
  seen(window: number): CensusAnswer | undefined {
    if (this.#used.has(window)) return "USED";
    return this.#doubted.has(window) ? "UNKNOWN" : undefined;
  }

  /** Who was there before is known once all that live have reported. */
  #begin(wallMs: number): void {
    const fromMs = wallMs + graceMsOf(this.#windows);
    this.#spans.push({ fromMs, toMs: fromMs });
    this.#spans = this.#spans.slice(-censusSpansMax);
  }

  /** From before the window, by any clock of the chain, until all of it can have been heard. */
  #isWatched(window: number): boolean {
    const { openedMs, windowMs } = this.#windows;
    const startMs = openedMs + window * windowMs;
    const skewMs = skewMsOf(this.#windows);
    const untilMs = startMs + windowMs + graceMsOf(this.#windows) + skewMs;
    let sureMs = startMs - skewMs;
    for (const { fromMs, toMs } of this.#spans.toSorted((one, other) => one.fromMs - other.fromMs))
      if (fromMs <= sureMs) sureMs = Math.max(sureMs, toMs);
    return sureMs >= untilMs;
  }

  #mark(windows: Set<number>, fromMs: number, toMs: number): void {
    for (const window of this.#around(fromMs, toMs)) windows.add(window);
  }

  /** Windows that a time between two may lie in, for any clock of the chain. */
  #around(fromMs: number, toMs: number): number[] {
    const { openedMs, windowMs } = this.#windows;
    const skewMs = skewMsOf(this.#windows);
    const at = (ms: number): number => Math.floor((ms - openedMs) / windowMs);
    const last = at(toMs + skewMs);
    const first = at(fromMs - graceMsOf(this.#windows) - skewMs);
    const kept = Math.max(0, first, last - windowsKept);
    return Array.from({ length: Math.max(0, last - kept + 1) }, (_, n) => kept + n);
  }

  /** What nobody asks for any more; of a time whose use is forgotten nobody has watched either. */
  #forget(): void {
    const { openedMs, windowMs } = this.#windows;
    const oldest = windowToAnswer(this.#windows, this.#watchedMs) - windowsKept;
    for (const windows of [this.#used, this.#doubted])
      for (const window of windows) if (window < oldest) windows.delete(window);
    const oldestMs = openedMs + oldest * windowMs;
    this.#spans = this.#spans.flatMap(({ fromMs, toMs }, at) => {
      const isOver = toMs < oldestMs && at < this.#spans.length - 1;
      return isOver ? [] : [{ fromMs: Math.max(fromMs, oldestMs - skewMsOf(this.#windows)), toMs }];
    });
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
