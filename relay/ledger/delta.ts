import { create } from "@bufbuild/protobuf";
import type { Position } from "../../gen/headwater/v1/ledger_pb.ts";
import { type Delta, DeltaSchema } from "../../gen/headwater/v1/mesh_pb.ts";
import { frameBytesMax } from "../limits.ts";
import { done, type Outcome, refused } from "../refusal.ts";
import { bytesEqual } from "../trust/key.ts";
import { missingTrust } from "../trust/said-trust.ts";
import { entrySize } from "./entry.ts";
import { type Judge, openHead, type SignedHead } from "./head.ts";
import type { Ledger, LedgerChange } from "./ledger.ts";
import { comparePositions, samePosition } from "./position.ts";

/** What became of something heard about a ledger. */
export type Heard =
  | { readonly kind: "change"; readonly change: LedgerChange }
  /** True, and held already. */
  | { readonly kind: "known" }
  /** Does not join what is held: ask again from the position held. */
  | { readonly kind: "resync"; readonly why: string };

/**
 * From a remembered position to now, in one step however many there were; undefined when the
 * position is not remembered or the step would not fit a frame.
 */
export function deltaSince(ledger: Ledger, position: Position): Delta | undefined {
  const keys = ledger.history.keysSince(position);
  if (keys === undefined || ledger.head === undefined) return undefined;
  const entries: { key: string; value: Uint8Array }[] = [];
  const tombstones: string[] = [];
  let bytes = 0;
  for (const key of keys) {
    const held = ledger.entries.get(key);
    if (held === undefined) tombstones.push(key);
    else entries.push({ key, value: held.value });
    bytes += entrySize({ key, value: held?.value ?? new Uint8Array(0) });
    if (bytes > frameBytesMax / 2) return undefined;
  }
  return create(DeltaSchema, {
    ledger: { authority: ledger.name.authority, project: ledger.name.project },
    previous: position,
    entries,
    tombstones,
    head: ledger.head.envelope,
  });
}

/**
 * Judges a delta. Refused: signature, grant or digest is wrong, and so is whoever sent it.
 *
 * A delta that starts before what is held and ends after it is applied too: it names every key
 * that changed in between, and the signed digest decides.
 */
export function hearDelta(ledger: Ledger, delta: Delta, judge: Judge): Outcome<Heard> {
  const { previous, head: envelope } = delta;
  if (previous === undefined || envelope === undefined)
    return refused("invalid", "delta: without previous position or head");
  const head = openHead(envelope, ledger.name, judge);
  if (!head.ok) return head;
  const held = ledger.head;
  if (held === undefined) return done({ kind: "resync", why: "a delta, and nothing is held" });
  const against = standing(held, head.value);
  if (!against.ok || against.value !== "newer")
    return against.ok ? done({ kind: "known" }) : against;
  const unready = withoutItsTrust(head.value, judge);
  if (unready !== undefined) return done(unready);
  if (comparePositions(previous, held.position) > 0)
    return done({ kind: "resync", why: "a delta is missing" });
  const exact = samePosition(previous, held.position);
  if (exact && !chains(held, head.value))
    return refused("invalid", "prev_head_hash: not the head that is held");
  const staged = ledger.stage(delta);
  if (!staged.ok) return staged;
  const change = ledger.changeTo(head.value, staged.value);
  if (change.ok) return done({ kind: "change", change: change.value });
  return exact ? change : done({ kind: "resync", why: change.refusal.message });
}

/**
 * Roots and grants travel ahead of what is signed by who knows them. Without them the new entries
 * would be judged by grants that have ended, or by fewer: a state that nobody has signed.
 */
export function withoutItsTrust({ head }: SignedHead, { trusted }: Judge): Heard | undefined {
  const missing = missingTrust(trusted, head);
  return missing === undefined
    ? undefined
    : { kind: "resync", why: `its head knows of ${missing}` };
}

/** How a head stands to the one held; two heads at one position are refused. */
export function standing(held: SignedHead, heard: SignedHead): Outcome<"newer" | "same" | "older"> {
  const order = comparePositions(heard.position, held.position);
  if (order > 0) return done("newer");
  if (order < 0) return done("older");
  if (bytesEqual(heard.hash, held.hash)) return done("same");
  return refused(
    "forbidden",
    `head: a second one at ${held.position.term}.${held.position.seq}; the authority has signed two histories`,
  );
}

/** The head right after another names it; further ones can not be checked this way. */
function chains(held: SignedHead, next: SignedHead): boolean {
  const adjacent =
    next.position.term === held.position.term && next.position.seq === held.position.seq + 1;
  return !adjacent || bytesEqual(next.head.prevHeadHash, held.hash);
}
