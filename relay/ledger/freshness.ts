import { beatExpiryMs, staleAfterMs } from "../cadence.ts";
import { isFromFuture, type SignedBeat, type SignedHead } from "./head.ts";

/** A label, never a switch: flags keep their last value whatever it says. */
const freshnesses = ["FRESH", "STALE", "EXPIRED", "EMPTY"] as const;

export type Freshness = (typeof freshnesses)[number];

/**
 * FRESH until five minutes after the writer last said that this was the newest, EXPIRED when it
 * said so. A head says it of itself at the moment it is signed; a beat for an earlier head still
 * vouches for what came after it.
 */
export function freshnessOf(
  ledger: { readonly head: SignedHead | undefined; readonly beat: SignedBeat | undefined },
  wallMs: number,
): Freshness {
  if (ledger.head === undefined) return "EMPTY";
  const beat = presentBeat(ledger.beat, wallMs);
  const headMs = Number(ledger.head.head.issuedMs);
  const expiresMs = Math.max(headMs + beatExpiryMs, beat?.expiresMs ?? 0);
  if (wallMs >= expiresMs) return "EXPIRED";
  const vouchedMs = vouchedMsOf({ head: ledger.head, beat }, wallMs);
  return wallMs - vouchedMs > staleAfterMs ? "STALE" : "FRESH";
}

/**
 * When the writer last said that something that is held, or was before it, is the newest. A head that
 * was let in while this node's clock was ahead does not say when, once it is right.
 */
export function vouchedMsOf(
  { head: { head }, beat }: { readonly head: SignedHead; readonly beat: SignedBeat | undefined },
  wallMs: number,
): number {
  const headMs = Number(head.issuedMs);
  const presentMs = isFromFuture(headMs, wallMs) ? 0 : headMs;
  return Math.max(presentMs, presentBeat(beat, wallMs)?.issuedMs ?? 0);
}

/** A beat that was let in while this node's clock was ahead says nothing once it is right. */
export function presentBeat(beat: SignedBeat | undefined, wallMs: number): SignedBeat | undefined {
  return beat === undefined || isFromFuture(beat.issuedMs, wallMs) ? undefined : beat;
}

/** What a set of layers is as a whole: as old as its oldest. */
export function worstFreshness(all: readonly Freshness[]): Freshness {
  return all.reduce<Freshness>(
    (worst, one) => (freshnesses.indexOf(one) > freshnesses.indexOf(worst) ? one : worst),
    "FRESH",
  );
}
