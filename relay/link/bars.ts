import type { Holding } from "../../gen/headwater/v1/mesh_pb.ts";
import { barMsMax, barMsMin, heartbeatIntervalMs, heartbeatsMissedMax } from "../cadence.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { LedgerId } from "../ledger/position.ts";
import type { Random } from "../random.ts";
import { Backoff } from "./backoff.ts";
import { holdingOf, holdingWithout } from "./holding.ts";

interface Bar {
  readonly backoff: Backoff;
  state:
    | { readonly kind: "barred"; readonly untilMonoMs: number }
    /** Asked to be served anew; what comes before the new offer was sent before the question. */
    | { readonly kind: "asked"; readonly sinceMonoMs: number }
    | { readonly kind: "heard" };
  /** Empty once something of it has checked again. */
  why: string;
  /** Whether a delta of it did not check: the same would come again. */
  isDeltaWrong: boolean;
}

/** How long a question may go unanswered. */
const answerDeadlineMs = heartbeatIntervalMs * heartbeatsMissedMax;

/**
 * Ledgers of which one upstream has sent what does not check, or does not join what is held. Each
 * is heard of no more for a while, longer each time, then asked for anew; all others go on.
 */
export class Bars {
  readonly #random: Random;
  readonly #bars = new Map<LedgerId, Bar>();

  constructor(random: Random) {
    this.#random = random;
  }

  /** Milliseconds until the ledger is asked for again. */
  bar(id: LedgerId, why: string, monoMs: number): number {
    const former = this.#bars.get(id);
    const backoff =
      former?.backoff ?? new Backoff(this.#random, { msMin: barMsMin, msMax: barMsMax });
    const waitMs = backoff.next();
    const state = { kind: "barred", untilMonoMs: monoMs + waitMs } as const;
    this.#bars.set(id, { backoff, why, state, isDeltaWrong: former?.isDeltaWrong ?? false });
    return waitMs;
  }

  /** From now on a barred ledger is asked for whole, until something of it is applied. */
  wantWhole(id: LedgerId): void {
    const bar = this.#bars.get(id);
    if (bar !== undefined) bar.isDeltaWrong = true;
  }

  /** What this upstream is told of a ledger when it is asked for it. */
  holdingOf(ledger: Ledger): Holding {
    const isWantedWhole = this.#bars.get(ledger.id)?.isDeltaWrong ?? false;
    return isWantedWhole ? holdingWithout(ledger) : holdingOf(ledger);
  }

  /** Whether nothing of a ledger is heard from here now. */
  isDeaf(id: LedgerId): boolean {
    const kind = this.#bars.get(id)?.state.kind;
    return kind === "barred" || kind === "asked";
  }

  /** Whether a new offer of a ledger is waited for. */
  isAsked(id: LedgerId): boolean {
    return this.#bars.get(id)?.state.kind === "asked";
  }

  /** Monotonic milliseconds at which the next ledger is to be asked for. */
  get dueAtMonoMs(): number {
    let due = Number.POSITIVE_INFINITY;
    for (const { state } of this.#bars.values()) due = Math.min(due, dueAt(state));
    return due;
  }

  /** The ledgers whose time has come, or whose last question was not answered. */
  due(monoMs: number): LedgerId[] {
    return [...this.#bars].flatMap(([id, { state }]) => (dueAt(state) <= monoMs ? [id] : []));
  }

  /** Whether a ledger waits for its time, so that a new link is not to be asked for it. */
  isWaiting(id: LedgerId, monoMs: number): boolean {
    const state = this.#bars.get(id)?.state;
    return state?.kind === "barred" && state.untilMonoMs > monoMs;
  }

  asked(id: LedgerId, monoMs: number): void {
    const bar = this.#bars.get(id);
    if (bar !== undefined) bar.state = { kind: "asked", sinceMonoMs: monoMs };
  }

  /** The parent begins anew with it. */
  offered(id: LedgerId): void {
    const bar = this.#bars.get(id);
    if (bar?.state.kind === "asked") bar.state = { kind: "heard" };
  }

  /** Something of it has checked: all is well, but it has yet to be applied to count as good. */
  checked(id: LedgerId): void {
    const bar = this.#bars.get(id);
    if (bar?.state.kind === "heard") bar.why = "";
  }

  /** Something of it was applied, and is durable. */
  applied(id: LedgerId): void {
    this.#bars.delete(id);
  }

  /** What is wrong with which ledger. */
  get problems(): readonly (readonly [LedgerId, string])[] {
    return [...this.#bars].flatMap(([id, { why }]) => (why === "" ? [] : [[id, why] as const]));
  }
}

function dueAt(state: Bar["state"]): number {
  if (state.kind === "barred") return state.untilMonoMs;
  return state.kind === "asked" ? state.sinceMonoMs + answerDeadlineMs : Number.POSITIVE_INFINITY;
}
