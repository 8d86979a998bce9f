import { censusSpansMax } from "../../limits.ts";
import type { CensusAnswer } from "./census-answer.ts";
import {
  type CensusWindows,
  expelledAfterMs,
  graceMsOf,
  skewMsOf,
  windowToAnswer,
} from "./census-windows.ts";
import { joinSpans, spansUntil, type WatchedSpan } from "./watched-span.ts";

/** Windows whose evidence is kept after they could be answered. */
const windowsKept = 4;

/**
 * What was seen at one node, in the form in which it is kept. All three are sets that only grow, so
 * what the nodes of a site have seen together is the union of each. Times are by the node's clock.
 */
export interface Evidence {
  /** Windows by number. */
  readonly used: readonly number[];
  readonly doubted: readonly number[];
  readonly watched: readonly WatchedSpan[];
  /** Up to when all that the node has heard is in it. */
  readonly toldMs: number;
  /** The node was stopped then: it has heard nothing since. */
  readonly isLast: boolean;
}

/** A node of the site, as it was last heard of. */
export interface SiteWatch {
  /** Undefined for one that has told nothing: what it has heard is not known. */
  readonly evidence: Evidence | undefined;
  /** It lives, so that what is missing of it will come. */
  readonly isPresent: boolean;
}

/** How a node of the site was heard before it was gone, by our clock. */
export interface PeerEnd {
  /** Since when nothing that it has passed on was missed. */
  readonly wholeSinceMs: number;
  readonly lastMs: number;
}

/**
 * After so many graces a node has heard of each instance again, or has told that one is lost; the
 * others of its site then know as much.
 */
const graces = 2;

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
  /** When each was last heard, and whether by this node itself; the longest unheard first. */
  readonly #heard = new Map<string, { readonly atMs: number; readonly isOwn: boolean }>();
  #watchedMs: number;
  /** The oldest window that is remembered. */
  #forgottenTo = Number.NaN;
  /** Something was seen that is not yet kept. */
  isNews = false;

  /** @param held what was kept from before; between then and now nobody watched */
  constructor(windows: CensusWindows, wallMs: number, held?: Evidence) {
    this.#windows = windows;
    this.#used = new Set(held?.used);
    this.#doubted = new Set(held?.doubted);
    this.#spans = spansUntil(wallMs, held?.watched ?? []);
    this.#watchedMs = wallMs;
    this.#begin(wallMs);
  }

  get evidence(): Evidence {
    const [used, doubted, toldMs] = [[...this.#used], [...this.#doubted], this.#watchedMs];
    return { used, doubted, watched: this.#spans, toldMs, isLast: false };
  }

  /** What this node itself has seen before, and the others of its site have kept for it. */
  recall(evidence: Evidence): void {
    const oldest = this.#oldest;
    for (const [windows, held] of [
      [evidence.used, this.#used],
      [evidence.doubted, this.#doubted],
    ] as const)
      for (const window of windows) if (window >= oldest) held.add(window);
    this.#forgottenTo = Number.NaN;
    // The last one is that which goes on.
    const watched = spansUntil(this.#watchedMs, evidence.watched);
    this.#spans = joinSpans(watched, this.#spans).slice(-censusSpansMax);
  }

  /**
   * A report: whether it was used since the instance started, and whether it was its last one.
   * @param of.isOwn false where another node of the site has passed it on
   */
  hear(of: {
    instance: string;
    isUsed: boolean;
    isLast: boolean;
    isOwn: boolean;
    wallMs: number;
  }): void {
    this.watch(of.wallMs);
    const { instance, wallMs, isOwn } = of;
    if (of.isUsed) this.#mark(this.#used, this.#heard.get(instance)?.atMs ?? wallMs, wallMs);
    this.#heard.delete(instance);
    if (!of.isLast) this.#heard.set(instance, { atMs: wallMs, isOwn });
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
    if (wallMs < this.#watchedMs) this.#setBack(wallMs);
    const isGap = wallMs - this.#watchedMs > graceMsOf(this.#windows);
    for (const [instance, { atMs }] of this.#heard) {
      if (wallMs - atMs <= graceMsOf(this.#windows)) break;
      this.#mark(this.#doubted, atMs, wallMs);
      this.#heard.delete(instance);
    }
    this.#watchedMs = wallMs;
    const last = this.#spans.at(-1);
    // A machine that slept has missed reports.
    if (isGap || last === undefined) this.#begin(wallMs);
    else this.#spans.splice(-1, 1, { ...last, toMs: Math.max(last.toMs, wallMs) });
    this.#forget();
  }

  /**
   * Not all of the site was heard until now. Whoever reports to other nodes is watched by those;
   * who reports to this one alone still is watched here.
   */
  resume(wallMs: number): void {
    if (wallMs < this.#watchedMs) this.#setBack(wallMs);
    for (const [instance, { isOwn }] of this.#heard) if (!isOwn) this.#heard.delete(instance);
    this.#watchedMs = wallMs;
    this.#begin(wallMs);
  }

  /**
   * A node of the site is gone, and has to have been heard whole for long enough before: else some
   * instance may have gone with it that nobody else knows of.
   */
  lose({ wholeSinceMs, lastMs }: PeerEnd): void {
    const graceMs = graceMsOf(this.#windows);
    const isBegun = (this.#spans.at(-1)?.fromMs ?? lastMs) < lastMs;
    if (lastMs - wholeSinceMs < graces * graceMs && isBegun)
      this.#mark(this.#doubted, wholeSinceMs, lastMs + graceMs);
  }

  /**
   * What there is to say of a window; nothing that is still going on is answered.
   * @param others the other nodes of the site: `unused` needs the word of each for all the window,
   *   but of those that were silent for 90 days, which are left out
   */
  answer(window: number, others: readonly SiteWatch[] = []): CensusAnswer {
    if (window < 0 || window > windowToAnswer(this.#windows, this.#watchedMs)) return "UNKNOWN";
    const seen = this.seen(window, others);
    if (seen !== undefined) return seen;
    if (others.some((other) => this.#isAwaited(other, window))) return "UNKNOWN";
    return this.#isWatched(window, others) ? "UNUSED" : "UNKNOWN";
  }

  /** Only what was heard or doubted; undefined where nothing was. */
  seen(window: number, others: readonly SiteWatch[] = []): CensusAnswer | undefined {
    const all = [this.evidence, ...others.flatMap(({ evidence }) => evidence ?? [])];
    if (all.some(({ used }) => used.includes(window))) return "USED";
    return all.some(({ doubted }) => doubted.includes(window)) ? "UNKNOWN" : undefined;
  }

  /** Whether the answer is without a node that may have heard of the window. */
  isLeftOut(other: SiteWatch, window: number): boolean {
    return !this.#hasTold(other, window) && !this.#isAwaited(other, window);
  }

  #hasTold({ evidence }: SiteWatch, window: number): boolean {
    return evidence?.isLast === true || (evidence?.toldMs ?? 0) >= this.#sureMs(window);
  }

  /** A node that is silent may be cut off from its site, and hear apps all the same. */
  #isAwaited(other: SiteWatch, window: number): boolean {
    if (this.#hasTold(other, window)) return false;
    const silentMs = this.#watchedMs - (other.evidence?.toldMs ?? Number.NEGATIVE_INFINITY);
    return other.isPresent || silentMs <= expelledAfterMs;
  }

  /** When all of a window can have been heard. */
  #sureMs(window: number): number {
    const { openedMs, windowMs } = this.#windows;
    const lateMs = graceMsOf(this.#windows) + skewMsOf(this.#windows);
    return openedMs + (window + 1) * windowMs + lateMs;
  }

  /**
   * A clock that was set back says nothing about how long it was. What was watched while it was ahead
   * is of a time to come: the others of the site would refuse all that this node tells.
   */
  #setBack(wallMs: number): void {
    this.#mark(this.#doubted, wallMs, this.#watchedMs);
    const isAhead = (this.#spans.at(-1)?.fromMs ?? wallMs) > wallMs;
    this.#spans = spansUntil(wallMs, this.#spans);
    if (isAhead) this.#begin(wallMs);
  }

  /** Who was there before is known once all that live have reported. */
  #begin(wallMs: number): void {
    const fromMs = Math.ceil(wallMs + graceMsOf(this.#windows));
    this.#spans = joinSpans(this.#spans, [{ fromMs, toMs: fromMs }]).slice(-censusSpansMax);
  }

  /**
   * From before the window, by any clock of the chain, until all of it can have been heard. Where
   * another node's time meets ours, it has to for any clock of the two.
   */
  #isWatched(window: number, others: readonly SiteWatch[]): boolean {
    const { openedMs, windowMs } = this.#windows;
    const skewMs = skewMsOf(this.#windows);
    const theirs = others
      .flatMap(({ evidence }) => evidence?.watched ?? [])
      .map(({ fromMs, toMs }) => ({ fromMs: fromMs + skewMs, toMs: toMs - skewMs }));
    const spans = [...this.#spans, ...theirs].sort((one, other) => one.fromMs - other.fromMs);
    let sureMs = openedMs + window * windowMs - skewMs;
    for (const { fromMs, toMs } of spans) if (fromMs <= sureMs) sureMs = Math.max(sureMs, toMs);
    return sureMs >= this.#sureMs(window);
  }

  #mark(windows: Set<number>, fromMs: number, toMs: number): void {
    for (const window of this.#around(fromMs, toMs)) {
      this.isNews ||= !windows.has(window);
      windows.add(window);
    }
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

  get #oldest(): number {
    return windowToAnswer(this.#windows, this.#watchedMs) - windowsKept;
  }

  /** What nobody asks for any more; of a time whose use is forgotten nobody has watched either. */
  #forget(): void {
    const { openedMs, windowMs } = this.#windows;
    const oldest = this.#oldest;
    if (oldest === this.#forgottenTo) return;
    this.#forgottenTo = oldest;
    for (const windows of [this.#used, this.#doubted])
      for (const window of windows) if (window < oldest) windows.delete(window);
    const oldestMs = openedMs + oldest * windowMs;
    this.#spans = this.#spans.flatMap(({ fromMs, toMs }, at) => {
      const isOver = toMs < oldestMs && at < this.#spans.length - 1;
      return isOver ? [] : [{ fromMs: Math.max(fromMs, oldestMs - skewMsOf(this.#windows)), toMs }];
    });
  }
}
