import type { ReportRequest } from "../../../gen/headwater/v1/apps_pb.ts";
import { intakeVersionsMax, vocabularyWordsMax } from "../../limits.ts";
import { panelOf, seatsCount } from "../disclosure/panel.ts";
import { LowestRanks } from "./lowest-ranks.ts";
import { MemberColumns } from "./member-columns.ts";
import { SlotOrder } from "./slot-order.ts";
import { memberOf, Tally } from "./tally.ts";

const slotsAtFirst = 64;

/** What is to be known of a report to keep it. */
export interface Taken {
  readonly wallMs: number;
  /** Whether a flag is one of the project: others mean nothing to anybody. */
  readonly isListed?: (flag: string) => boolean;
  /** The release that a version is, where there is no room for its own name. */
  readonly releaseOf?: (version: string) => string;
  /** The instance is remembered as having crashed. */
  readonly hasCrashed?: boolean;
}

/**
 * What each instance of one project said last, for two intervals, and the sum of it. `instance` is
 * what counts an instance once; it never leaves the site. A million of them have their columns of
 * numbers, and a project's words are kept once.
 */
export class Intake {
  readonly #rankOf: (instance: string) => number;
  readonly #slots = new Map<string, number>();
  readonly #instances: string[] = [];
  readonly #free: number[] = [];
  /** The longest unheard first. */
  readonly #order = new SlotOrder();
  readonly #members = new MemberColumns({
    versionsMax: intakeVersionsMax,
    flagsMax: vocabularyWordsMax,
  });
  /** NaN where nobody is. */
  #heardMs = new Float64Array(0);
  #ranks = new Float64Array(0);
  /** 1 where the instance has said itself what it was last heard to say. */
  #ownWords = new Uint8Array(0);
  readonly #lowest = new LowestRanks();
  readonly #tally = new Tally();
  #latestMs = Number.NEGATIVE_INFINITY;
  /** Whether who is longer unheard was heard earlier: not while a clock was set back. */
  #isInTime = true;

  /** @param rankOf where the site's secret places an instance among all */
  constructor(rankOf: (instance: string) => number) {
    this.#rankOf = rankOf;
  }

  get instancesCount(): number {
    return this.#slots.size;
  }

  /**
   * What those say who were heard since a time: what came before the operator's consent is not there
   * for it. As long as all were, it costs one look at who is longest unheard.
   */
  tally(sinceMs: number): Tally {
    const before = this.#heardBefore(sinceMs);
    if (before.length === 0) return this.#tally;
    const tally = this.#tally.clone();
    for (const slot of before) tally.remove(this.#memberAt(slot));
    return tally;
  }

  /** What those of the panel say. */
  panel(sinceMs: number): Tally {
    const candidates = this.#candidates(sinceMs).map((slot) => ({
      rank: this.#ranks[slot] ?? 0,
      instance: this.#instances[slot] ?? "",
      slot,
    }));
    const tally = new Tally();
    for (const { slot } of panelOf(candidates)) tally.add(this.#memberAt(slot));
    return tally;
  }

  holds(instance: string): boolean {
    return this.#slots.has(instance);
  }

  /** Whether an instance has said itself what it was last heard to say. */
  isTold(instance: string): boolean {
    return this.#ownWords[this.#slots.get(instance) ?? -1] === 1;
  }

  take(report: ReportRequest, of: Taken): void {
    const { wallMs, isListed, releaseOf = () => "", hasCrashed = false } = of;
    const said = memberOf(report, hasCrashed);
    const member = isListed === undefined ? said : { ...said, flags: said.flags.filter(isListed) };
    const held = this.#slots.get(report.instance);
    const slot = held ?? this.#newSlot(report.instance);
    if (held !== undefined) this.#order.remove(slot);
    this.#order.append(slot);
    this.#heardMs[slot] = wallMs;
    this.#ownWords[slot] = report.partial ? 0 : 1;
    if (wallMs < this.#latestMs) this.#isInTime = false;
    this.#latestMs = wallMs;
    if (held !== undefined && this.#members.isAt(slot, member)) return;
    if (held !== undefined) this.#clear(slot);
    this.#tally.add(this.#members.put(slot, member, releaseOf));
  }

  forget(instance: string): void {
    const slot = this.#slots.get(instance);
    if (slot === undefined) return;
    this.#clear(slot);
    this.#order.remove(slot);
    this.#slots.delete(instance);
    this.#instances[slot] = "";
    this.#heardMs[slot] = Number.NaN;
    this.#lowest.remove(slot, this.#ranks[slot] ?? Number.NaN);
    this.#ranks[slot] = Number.NaN;
    this.#free.push(slot);
  }

  /** Forgets instances that were silent for two intervals. */
  expire(wallMs: number, intervalMs: number): void {
    for (;;) {
      const { first } = this.#order;
      if (first === undefined || wallMs - (this.#heardMs[first] ?? 0) <= 2 * intervalMs) return;
      this.forget(this.#instances[first] ?? "");
    }
  }

  /** Slots heard before a time. All are looked at only after a clock was set back. */
  #heardBefore(sinceMs: number): number[] {
    const before: number[] = [];
    let latestMs = Number.NEGATIVE_INFINITY;
    let isInTime = true;
    for (let slot = this.#order.first; slot !== undefined; slot = this.#order.after(slot)) {
      const heardMs = this.#heardMs[slot] ?? Number.NaN;
      if (heardMs < sinceMs) before.push(slot);
      else if (this.#isInTime) return before;
      isInTime &&= heardMs >= latestMs;
      latestMs = heardMs;
    }
    this.#isInTime = isInTime;
    return before;
  }

  /** Slots heard since a time, of which those with the lowest ranks are all there. */
  #candidates(sinceMs: number): number[] {
    const heardOf = (lowest: LowestRanks): number[] =>
      lowest.slots.filter((slot) => (this.#heardMs[slot] ?? Number.NaN) >= sinceMs);
    const isEnough = (slots: readonly number[]): boolean =>
      slots.length >= seatsCount || this.#lowest.isAll;
    const listed = heardOf(this.#lowest);
    if (isEnough(listed)) return listed;
    this.#lowest.fill(this.#ranks);
    const again = heardOf(this.#lowest);
    if (isEnough(again)) return again;
    const heard = new LowestRanks();
    heard.fill(
      this.#ranks.map((rank, slot) => ((this.#heardMs[slot] ?? 0) >= sinceMs ? rank : Number.NaN)),
    );
    return heard.slots;
  }

  #memberAt(slot: number): ReturnType<MemberColumns["at"]> {
    return this.#members.at(slot, this.#instances[slot] ?? "");
  }

  #clear(slot: number): void {
    this.#tally.remove(this.#memberAt(slot));
    this.#members.clear(slot);
  }

  #newSlot(instance: string): number {
    const slot = this.#free.pop() ?? this.#instances.length;
    if (slot >= this.#heardMs.length) this.#grow();
    this.#slots.set(instance, slot);
    this.#instances[slot] = instance;
    const rank = this.#rankOf(instance);
    this.#ranks[slot] = rank;
    this.#lowest.add(slot, rank);
    return slot;
  }

  #grow(): void {
    const slotsCount = Math.max(slotsAtFirst, 2 * this.#heardMs.length);
    this.#heardMs = grown(this.#heardMs, slotsCount);
    this.#ranks = grown(this.#ranks, slotsCount);
    const ownWords = new Uint8Array(slotsCount);
    ownWords.set(this.#ownWords);
    this.#ownWords = ownWords;
    this.#order.grow(slotsCount);
    this.#members.grow(slotsCount);
  }
}

function grown(held: Float64Array<ArrayBuffer>, length: number): Float64Array<ArrayBuffer> {
  const longer = new Float64Array(length).fill(Number.NaN);
  longer.set(held);
  return longer;
}
