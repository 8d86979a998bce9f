import type { Envelope, Trust } from "../../gen/headwater/v1/ledger_pb.ts";
import { isName } from "../flag/name.ts";
import { done, type Outcome, refused } from "../refusal.ts";
import { authorityOf, extendTrust, type Trusted } from "../trust/trusted.ts";
import { Ledger, type LedgerChange } from "./ledger.ts";
import { signChange, signedChange } from "./signed-change.ts";
import { grantProblem, signs, type Writer } from "./writer.ts";

/** A first, empty head for a project whose root and grants name this writer's keys. */
export function foundLedger(of: {
  project: string;
  trust: Trust;
  writer: Writer;
  /** Where it was signed elsewhere. */
  head: Envelope | undefined;
  wallMs: number;
}): Outcome<{ ledger: Ledger; trusted: Trusted; change: LedgerChange }> {
  const first = of.trust.roots[0];
  if (!isName(of.project)) return refused("invalid", "project: not a name");
  if (first === undefined) return refused("invalid", "trust: without a root");
  const ledger = new Ledger({ authority: authorityOf(first), project: of.project });
  const trusted = extendTrust(ledger.name, undefined, of.trust);
  if (!trusted.ok) return trusted;
  const problem = grantProblem(trusted.value, of.writer, of.wallMs);
  if (problem !== undefined) return refused("forbidden", problem);
  const change = firstChange({ ...of, ledger, trusted: trusted.value });
  return change.ok ? done({ ledger, trusted: trusted.value, change: change.value }) : change;
}

/** The first head of a writer's term: what was held before, in its name. */
export function takeOver(of: {
  ledger: Ledger;
  trusted: Trusted;
  writer: Writer;
  /** Where it was signed elsewhere. */
  head: Envelope | undefined;
  wallMs: number;
}): Outcome<LedgerChange> {
  const problem = grantProblem(of.trusted, of.writer, of.wallMs);
  if (problem !== undefined)
    return refused(
      "forbidden",
      problem,
      "Import the trust bundle that grants them first: `headwater keys import`.",
    );
  return firstChange(of);
}

/** The head with which a writer's term begins: what is held, in its name. */
function firstChange(of: {
  ledger: Ledger;
  trusted: Trusted;
  writer: Writer;
  head: Envelope | undefined;
  wallMs: number;
}): Outcome<LedgerChange> {
  const { ledger, trusted, writer, head, wallMs } = of;
  const nothing = { entries: [], tombstones: [] };
  if (signs(writer)) return signChange({ ...nothing, ledger, trusted, signer: writer, wallMs });
  if (head === undefined)
    return refused("invalid", "head: missing, and the ledger key is not at this node");
  return signedChange({ ledger, head, changes: nothing, judge: { trusted, wallMs }, writer });
}
