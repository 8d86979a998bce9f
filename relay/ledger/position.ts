import type { LedgerName, Position } from "../../gen/headwater/v1/ledger_pb.ts";
import { bytesEqual, toHex } from "../trust/key.ts";

/** `<project>/<authority in hex>`: a ledger's name as a map key. */
export type LedgerId = string & { readonly brand: "LedgerId" };

export function ledgerId(name: { authority: Uint8Array; project: string }): LedgerId {
  return `${name.project}/${toHex(name.authority)}` as LedgerId;
}

export type LedgerNameLike = Pick<LedgerName, "authority" | "project">;

type TermSeq = Pick<Position, "term" | "seq">;

/** Below 0 when `a` is older; positions of one ledger are ordered by term, then sequence. */
export function comparePositions(a: TermSeq, b: TermSeq): number {
  return a.term - b.term || a.seq - b.seq;
}

/** Same term, sequence and content. */
export function samePosition(a: Position, b: Position): boolean {
  return comparePositions(a, b) === 0 && bytesEqual(a.digest, b.digest);
}

export function positionText(position: TermSeq): string {
  return `${position.term}.${position.seq}`;
}
