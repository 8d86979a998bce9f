import { ConnectError } from "@connectrpc/connect";
import type { Position } from "../../gen/headwater/v1/ledger_pb.ts";
import { HeadwaterError } from "../error.ts";
import type { CommandContext } from "./command.ts";
import type { LedgerView } from "./ledger-view.ts";
import type { Change } from "./plan.ts";

/**
 * All changes or none, iff the ledger still is as it was seen.
 * @throws HeadwaterError `conflict` when it is not, else what `adminError` explains
 */
export async function commitChanges(
  context: CommandContext,
  of: { view: LedgerView; changes: readonly Change[]; commit?: string },
): Promise<{ position: Position; changed: boolean }> {
  const { view, changes, commit = "" } = of;
  try {
    const { position, changed } = await context.admin().ledgers.commit({
      ledger: view.ledger,
      expected: view.position,
      entries: changes.flatMap(({ key, after }) =>
        after === undefined ? [] : { key, value: after },
      ),
      tombstones: changes.flatMap(({ key, after }) => (after === undefined ? key : [])),
      actor: context.terminal.actor,
      commit,
    });
    return { position: position ?? view.position, changed };
  } catch (thrown) {
    throw conflictOr(thrown, view.ledger.project);
  }
}

function conflictOr(thrown: unknown, project: string): unknown {
  if (!(thrown instanceof ConnectError)) return thrown;
  const error = HeadwaterError.from(thrown);
  if (error.kind !== "conflict") return thrown;
  return new HeadwaterError({
    kind: "conflict",
    message: `somebody has changed ${project} meanwhile, and nothing was done`,
    hint: "Run the same again: it starts from what there is now.",
    cause: thrown,
  });
}
