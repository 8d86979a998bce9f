import type { Envelope } from "../../gen/headwater/v1/ledger_pb.ts";
import { sequenceMax } from "../limits.ts";
import { type Outcome, refused } from "../refusal.ts";
import { bytesEqual } from "../trust/key.ts";
import { missingTrust, saidTrust } from "../trust/said-trust.ts";
import type { Trusted } from "../trust/trusted.ts";
import { type Judge, openHead, type SignedHead, signHead } from "./head.ts";
import type { EntryChanges, Ledger, LedgerChange, StagedEntries } from "./ledger.ts";
import { comparePositions, positionText } from "./position.ts";
import type { HeadSigner, Writer } from "./writer.ts";

/** The change with the head that its signer has for it. */
export function signChange(
  of: EntryChanges & { ledger: Ledger; trusted?: Trusted; signer: HeadSigner; wallMs: number },
): Outcome<LedgerChange> {
  const staged = of.ledger.stage(of);
  return staged.ok ? signStaged({ ...of, staged: staged.value }) : staged;
}

/** The same of what was staged already. */
export function signStaged(of: {
  ledger: Ledger;
  staged: StagedEntries;
  /** What goes out before it; absent: what the ledger has. */
  trusted?: Trusted;
  signer: HeadSigner;
  wallMs: number;
}): Outcome<LedgerChange> {
  const { ledger, staged, trusted = ledger.trusted, signer, wallMs } = of;
  const held = ledger.head;
  const next = nextPosition(held, signer.term);
  if (next.seq > sequenceMax)
    return refused(
      "limit",
      `ledger: the sequence of term ${signer.term} is used up`,
      "Only somebody else with its key can have done that. `headwater promote` goes on in a new term.",
    );
  const head = signHead({
    ledger: ledger.name,
    position: { ...next, digest: staged.set.digest },
    previous: held,
    entriesCount: staged.set.count,
    said: saidTrust(trusted),
    wallMs,
    key: signer.ledgerKey,
  });
  return ledger.changeTo(head, staged);
}

/** A change whose head was signed elsewhere: checked like a stranger's, and the very next one. */
export function signedChange(of: {
  ledger: Ledger;
  head: Envelope;
  changes: EntryChanges;
  judge: Judge;
  writer: Writer;
}): Outcome<LedgerChange> {
  const { ledger, changes, judge } = of;
  const head = openHead(of.head, ledger.name, judge);
  if (!head.ok) return head;
  const missing = missingTrust(judge.trusted, head.value.head);
  if (missing !== undefined)
    return refused(
      "conflict",
      `head: it knows of ${missing}`,
      "Bring the newer ones first: `headwater keys import`.",
    );
  const held = ledger.head;
  const next = nextPosition(held, of.writer.term);
  const { position } = head.value;
  if (comparePositions(position, next) !== 0)
    return refused(
      "conflict",
      `head: signed for ${positionText(position)}, the next here is ${positionText(next)}`,
      "Sign it again, on top of what there is now.",
    );
  if (!bytesEqual(head.value.head.prevHeadHash, held?.hash ?? new Uint8Array(0)))
    return refused("conflict", "head: it does not follow the one that is held");
  const staged = ledger.stage(changes);
  return staged.ok ? ledger.changeTo(head.value, staged.value) : staged;
}

/** Where a writer of a term goes on from a head. */
function nextPosition(held: SignedHead | undefined, term: number): { term: number; seq: number } {
  return { term, seq: held?.position.term === term ? held.position.seq + 1 : 1 };
}
