import { advance } from "./advance.ts";
import type { Moment } from "./event.ts";
import { isFromFuture } from "./ledger/head.ts";
import type { Ledger, LedgerChange } from "./ledger/ledger.ts";
import { signChange } from "./ledger/signed-change.ts";
import { grantProblem, signs, type Writer } from "./ledger/writer.ts";
import { outrunPosition } from "./outrun.ts";
import type { NodeParts } from "./parts.ts";
import type { Consequence } from "./staged.ts";

/** Heads that are signed anew, to be made durable; what follows. */
interface Renewal extends Consequence {
  readonly ledgers: ReadonlySet<Ledger>;
}

/**
 * What a writer signed while its clock was far ahead everybody else refuses until its time has
 * come. Once the clock is right, the same state is signed again.
 */
export function renewalOf(parts: NodeParts, at: Moment): Renewal {
  const { holdings } = parts;
  const changes = [...holdings.writers].flatMap(([id, writer]) => {
    const ledger = holdings.ledgers.get(id);
    if (ledger === undefined || outrunPosition(holdings, ledger) !== undefined) return [];
    const change = renewed(ledger, writer, at.wallMs);
    return change === undefined ? [] : [{ ledger, change }];
  });
  return {
    ledgers: new Set(changes.map(({ ledger }) => ledger)),
    writes: changes.flatMap(({ ledger, change }) => holdings.changeWrites(ledger, change)),
    accept: () =>
      changes.flatMap((one) => advance(parts, { ...one, source: { kind: "here" }, at })),
  };
}

function renewed(ledger: Ledger, writer: Writer, wallMs: number): LedgerChange | undefined {
  const { head, trusted } = ledger;
  if (head === undefined || trusted === undefined || !signs(writer)) return undefined;
  const isAhead = isFromFuture(Number(head.head.issuedMs), wallMs);
  if (!isAhead || head.position.term !== writer.term) return undefined;
  if (grantProblem(trusted, writer, wallMs) !== undefined) return undefined;
  const change = signChange({ ledger, signer: writer, wallMs, entries: [], tombstones: [] });
  return change.ok ? change.value : undefined;
}
