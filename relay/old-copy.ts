import { copyWaitMs, secondMs } from "./cadence.ts";
import type { Records } from "./durable.ts";
import { type Effect, logged, type Write } from "./effect.ts";
import type { Moment } from "./event.ts";
import type { LedgerId } from "./ledger/position.ts";
import { refused } from "./refusal.ts";
import { bytesEqual } from "./trust/key.ts";

/**
 * The record that a backup carries, and the data that it was made of does not. Its value says when
 * that was, or what else it is a copy of, for people.
 */
export const copyMark = { bucket: "node", key: "copied" } as const;

/** Before the id of a ledger that goes on at once; the value is the mark that it was decided under. */
const anewPrefix = "anew ";

/**
 * Whether a node runs on a copy of its data, which may be old: others may hold what was signed
 * since. Until those below it had time to come back and to give it back, it signs nothing.
 */
export class OldCopy {
  #mark: { readonly copied: string; readonly untilMonoMs: number } | undefined;
  #isTold = false;
  /** Ledgers of which a new term has begun here: whatever others hold of the former one is over. */
  readonly #anew = new Set<LedgerId>();

  constructor(records: Records, at: Moment) {
    const value = records.get(copyMark.bucket)?.get(copyMark.key);
    if (value === undefined) return;
    const copied = new TextDecoder().decode(value);
    this.#mark = { copied, untilMonoMs: at.monoMs + copyWaitMs };
    // A copy of this data is another copy: what was decided here does not hold there.
    for (const [key, under] of records.get(copyMark.bucket) ?? [])
      if (key.startsWith(anewPrefix) && bytesEqual(under, value))
        this.#anew.add(key.slice(anewPrefix.length) as LedgerId);
  }

  /** A ledger that was lost here has come from another node, which may not have the newest either. */
  begin(id: LedgerId, from: string, at: Moment): { writes: Write[]; accept: () => void } {
    const copied = `what ${from} holds`;
    const accept = (): void => {
      this.#anew.delete(id);
      this.#mark = { copied, untilMonoMs: at.monoMs + copyWaitMs };
      this.#isTold = false;
    };
    const value = new TextEncoder().encode(copied);
    const others = [...this.#anew].filter((one) => one !== id);
    return {
      writes: [
        { ...copyMark, value },
        anewWrite(id, undefined),
        ...others.map((one) => anewWrite(one, value)),
      ],
      accept,
    };
  }

  isWaiting({ monoMs }: Moment): boolean {
    return this.#mark !== undefined && monoMs < this.#mark.untilMonoMs;
  }

  /** Whether nothing is signed of this ledger. */
  holdsBack(id: LedgerId, at: Moment): boolean {
    return this.isWaiting(at) && !this.#anew.has(id);
  }

  /** An operator has decided not to wait for what others hold of a ledger. */
  goOn(id: LedgerId): { writes: Write[]; accept: () => void } {
    const copied = this.#mark?.copied;
    return {
      writes: copied === undefined ? [] : [anewWrite(id, new TextEncoder().encode(copied))],
      accept: () => this.#anew.add(id),
    };
  }

  /** Why nothing is signed of a ledger now. */
  problem(id: LedgerId, at: Moment): ReturnType<typeof refused> | undefined {
    return this.holdsBack(id, at) ? refused("unavailable", this.text(at), copyHint) : undefined;
  }

  text({ monoMs }: Moment): string {
    const { copied = "", untilMonoMs = monoMs } = this.#mark ?? {};
    const seconds = Math.ceil((untilMonoMs - monoMs) / secondMs);
    return `ledger: this node runs on a copy of ${copied}, and waits another ${seconds} s for what its children hold of later`;
  }

  /** Said once. */
  tell(at: Moment): Effect[] {
    if (this.#isTold || !this.isWaiting(at)) return [];
    this.#isTold = true;
    return [logged("warn", "old-copy", this.text(at))];
  }

  /** Once the wait is over the copy is the node's data like any other. */
  ending(at: Moment): { writes: Write[]; accept: () => void } {
    const isOver = this.#mark !== undefined && !this.isWaiting(at);
    const accept = (): void => {
      if (!isOver) return;
      this.#mark = undefined;
      this.#anew.clear();
    };
    if (!isOver) return { writes: [], accept };
    const over = [...this.#anew].map((id) => anewWrite(id, undefined));
    return { writes: [{ ...copyMark, value: undefined }, ...over], accept };
  }
}

function anewWrite(id: LedgerId, value: Uint8Array | undefined): Write {
  return { bucket: copyMark.bucket, key: `${anewPrefix}${id}`, value };
}

const copyHint =
  "It goes on by itself. `headwater promote --force` goes on at once, in a new term, without what they hold.";
