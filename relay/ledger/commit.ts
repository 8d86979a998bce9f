import type { Envelope, Position } from "../../gen/headwater/v1/ledger_pb.ts";
import type { CommitRequest } from "../../gen/headwater/v1/ledgers_pb.ts";
import { commitEntriesMax } from "../limits.ts";
import { quoted } from "../quoted.ts";
import { done, type Outcome, refused } from "../refusal.ts";
import { bytesEqual } from "../trust/key.ts";
import { entrySchemas, splitEntryKey } from "./entry.ts";
import type { SignedHead } from "./head.ts";
import type { Ledger, LedgerChange } from "./ledger.ts";
import { positionText, samePosition } from "./position.ts";
import { signedChange, signStaged } from "./signed-change.ts";
import { ledgerGrantProblem, signs, type Writer } from "./writer.ts";

/** What is to be committed, by whom. */
interface Commit {
  readonly ledger: Ledger;
  readonly writer: Writer;
  readonly request: CommitRequest;
  readonly wallMs: number;
}

/** Undefined when every entry is so already, or the signed head is the one that is held. */
export function prepareCommit(of: Commit): Outcome<LedgerChange | undefined> {
  const { ledger, request } = of;
  const isHeld = ledger.head && request.head && isSameHead(ledger.head, request.head);
  const conflict = isHeld ? undefined : positionConflict(ledger, request.expected);
  const problem = conflict ?? writerProblem(of);
  if (problem !== undefined) return problem;
  if (request.entries.length + request.tombstones.length > commitEntriesMax)
    return refused("limit", `entries: more than ${commitEntriesMax} in one commit`);
  for (const { key } of request.entries) {
    if (!Object.hasOwn(entrySchemas, splitEntryKey(key).kind))
      return refused("invalid", `entries: ${quoted(key)} is of no kind that this node knows`);
  }
  return request.head === undefined ? signedHere(of) : signedThere({ ...of, head: request.head });
}

function signedHere({
  ledger,
  writer,
  request,
  wallMs,
}: Commit): Outcome<LedgerChange | undefined> {
  if (!signs(writer))
    return refused(
      "forbidden",
      `head: missing; the ledger key of ${ledger.name.project} is not at this node`,
      "Sign where the key is: `headwater apply --sign-with FILE`, or set HEADWATER_LEDGER_KEY_FILE.",
    );
  const staged = ledger.stage(request);
  if (!staged.ok) return staged;
  if (staged.value.puts.length + staged.value.deletes.length === 0) return done(undefined);
  return signStaged({ staged: staged.value, ledger, signer: writer, wallMs });
}

function signedThere(of: Commit & { head: Envelope }): Outcome<LedgerChange | undefined> {
  const { ledger, writer, request, head, wallMs } = of;
  if (ledger.trusted === undefined) return refused("unavailable", "ledger: no trust is held");
  if (ledger.head !== undefined && isSameHead(ledger.head, head)) return done(undefined);
  const judge = { trusted: ledger.trusted, wallMs };
  return signedChange({ ledger, head, changes: request, judge, writer });
}

function positionConflict(
  ledger: Ledger,
  expected: Position | undefined,
): ReturnType<typeof refused> | undefined {
  const { position } = ledger;
  if (expected === undefined || position === undefined || samePosition(expected, position))
    return undefined;
  return refused(
    "conflict",
    `expected: ${positionText(expected)}, the ledger is at ${positionText(position)}`,
    "Somebody else has changed it; look at what there is now and try again.",
  );
}

/** What this writer signed would be refused by everybody else, or would take the ledger back. */
function writerProblem(of: {
  ledger: Ledger;
  writer: Writer;
  wallMs: number;
}): ReturnType<typeof refused> | undefined {
  const { ledger, writer, wallMs } = of;
  const term = ledger.position?.term ?? 0;
  const problem =
    term > writer.term
      ? `ledger: a newer writer has taken over, in term ${term}; this node's is ${writer.term}`
      : ledger.trusted && ledgerGrantProblem(ledger.trusted, writer, wallMs);
  if (problem === undefined) return undefined;
  return refused(
    "forbidden",
    problem,
    "Commit at the node that writes it now, or sign a new grant.",
  );
}

function isSameHead({ envelope }: SignedHead, head: Envelope): boolean {
  return bytesEqual(envelope.payload, head.payload);
}
