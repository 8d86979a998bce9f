import { fromBinary } from "@bufbuild/protobuf";
import { EnvelopeSchema, HeadSchema } from "../../gen/headwater/v1/ledger_pb.ts";
import type { LedgerId } from "../../relay/ledger/position.ts";
import { sha256, toHex } from "../../relay/trust/key.ts";

/** A state that an authority has signed. */
export interface SignedState {
  readonly term: number;
  readonly seq: number;
  readonly digest: string;
  readonly headHash: string;
  /** The signed bytes of the head. */
  readonly payload: string;
  /** When it was signed, in true time. */
  readonly atMs: number;
  /** Values in hex, by key. */
  readonly entries: ReadonlyMap<string, string>;
}

/** What the authorities of a run have really signed, as only the simulator can know it. */
export class Truth {
  readonly #states = new Map<LedgerId, SignedState[]>();
  /** Changes that were acknowledged, by key; undefined for one that was deleted. */
  readonly acknowledged = new Map<LedgerId, Map<string, string | undefined>>();

  /** Keys of a change that is under way. */
  readonly pending = new Set<string>();

  /** A writer has made a state durable. */
  signed(of: {
    id: LedgerId;
    headBytes: Uint8Array;
    entries: ReadonlyMap<string, string>;
    atMs: number;
  }): void {
    const { id, headBytes, entries, atMs } = of;
    const { payload } = fromBinary(EnvelopeSchema, headBytes);
    const { position } = fromBinary(HeadSchema, payload);
    if (position === undefined) throw new Error("a head without a position");
    const { term, seq, digest } = position;
    if (this.at(id, position) !== undefined) return;
    const state = {
      term,
      seq,
      digest: toHex(digest),
      headHash: toHex(sha256(payload)),
      payload: toHex(payload),
      atMs,
      entries,
    };
    const states = this.#states.get(id) ?? [];
    this.#states.set(id, [...states, state].sort(byPosition));
  }

  at(id: LedgerId, of: { term: number; seq: number }): SignedState | undefined {
    return this.#states.get(id)?.findLast(({ term, seq }) => term === of.term && seq === of.seq);
  }

  newest(id: LedgerId): SignedState | undefined {
    return this.#states.get(id)?.at(-1);
  }

  /** The newest state that had been signed by some time. */
  newestAt(id: LedgerId, atMs: number): SignedState | undefined {
    return this.#states.get(id)?.findLast((state) => state.atMs <= atMs);
  }

  /** How many states of any ledger were signed since some time. */
  signedSince(sinceMs: number): number {
    const all = [...this.#states.values()].flat();
    return all.filter(({ atMs }) => atMs >= sinceMs).length;
  }

  get ledgers(): LedgerId[] {
    return [...this.#states.keys()];
  }

  acknowledge(id: LedgerId, key: string, value: string | undefined): void {
    const acknowledged = this.acknowledged.get(id) ?? new Map<string, string | undefined>();
    this.acknowledged.set(id, acknowledged.set(key, value));
  }

  /** The writer died before it answered: the change may be there or not. */
  doubt(id: LedgerId, key: string): void {
    this.acknowledged.get(id)?.delete(key);
  }

  /** Of what was acknowledged only that counts which is in the newest state. */
  doubtOthers(id: LedgerId): void {
    const { entries } = this.newest(id) ?? {};
    for (const [key, value] of this.acknowledged.get(id) ?? [])
      if (entries?.get(key) !== value) this.doubt(id, key);
  }

  /**
   * The only disk with the newest states is gone for good: what others go on from is what counts.
   * What was signed later was signed all the same, and somebody may still hold it.
   */
  fallBack(id: LedgerId, to: { term: number; seq: number }): void {
    const state = this.at(id, to);
    for (const key of this.acknowledged.get(id)?.keys() ?? [])
      this.acknowledge(id, key, state?.entries.get(key));
  }
}

function byPosition(a: SignedState, b: SignedState): number {
  return a.term - b.term || a.seq - b.seq;
}
