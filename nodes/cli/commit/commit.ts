import { ConnectError } from "@connectrpc/connect";
import type { Envelope, Position } from "../../../gen/headwater/v1/ledger_pb.ts";
import { minuteMs } from "../../../relay/cadence.ts";
import { HeadwaterError } from "../../error.ts";
import type { CommandContext } from "../command.ts";
import { changesOf, ledgerKeyFile, readLedgerKey, signedHead } from "./ledger-key.ts";
import type { LedgerView } from "./ledger-view.ts";
import type { Change } from "./plan.ts";

/** Ten thousand flags at once are a second of work for a node, and many where it is busy. */
const commitDeadlineMs = minuteMs;

/**
 * All changes or none, iff the ledger still is as it was seen.
 * @throws HeadwaterError `conflict` when it is not, else what `adminError` explains
 */
export async function commitChanges(
  context: CommandContext,
  of: {
    view: LedgerView;
    changes: readonly Change[];
    /** Where it was signed already. */
    head?: Envelope | undefined;
    commit?: string;
  },
): Promise<{ position: Position; changed: boolean }> {
  const { view, changes, commit = "" } = of;
  const head = of.head ?? headOf(context, of);
  try {
    const { position, changed } = await context.admin().ledgers.commit(
      {
        ledger: view.ledger,
        expected: view.position,
        ...changesOf(changes),
        ...(head && { head }),
        actor: context.terminal.actor,
        commit,
      },
      { timeoutMs: commitDeadlineMs },
    );
    return { position: position ?? view.position, changed };
  } catch (thrown) {
    throw conflictOr(thrown, view.ledger.project);
  }
}

/** Signed here, where the node does not sign. */
function headOf(
  { terminal }: CommandContext,
  { view, changes }: { view: LedgerView; changes: readonly Change[] },
): Envelope | undefined {
  if (!view.signedElsewhere) return undefined;
  const path = ledgerKeyFile(terminal.env);
  if (path !== undefined)
    return signedHead({ view, changes, by: readLedgerKey(path), wallMs: terminal.wallMs() });
  throw new HeadwaterError({
    kind: "forbidden",
    message: `${view.ledger.project}: its ledger key is not at the node, which only beats`,
    hint: "Set HEADWATER_LEDGER_KEY_FILE where the key is, or let CI run `headwater apply --sign-with`.",
  });
}

function conflictOr(thrown: unknown, project: string): unknown {
  if (!(thrown instanceof ConnectError)) return thrown;
  const error = HeadwaterError.from(thrown);
  // Other conflicts, such as a percentage that a rollout owns, do not go away by trying again.
  if (error.kind !== "conflict" || !error.message.startsWith("expected:")) return thrown;
  return new HeadwaterError({
    kind: "conflict",
    message: `somebody has changed ${project} meanwhile, and nothing was done`,
    hint: "Run the same again: it starts from what there is now.",
    cause: thrown,
  });
}
