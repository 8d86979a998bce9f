import type { Flag } from "../../../gen/headwater/v1/flag_pb.ts";
import { HeadwaterError } from "../../error.ts";
import type { CommandContext } from "../command.ts";
import { changeLines, changeRecords } from "../commit/change-lines.ts";
import { commitChanges } from "../commit/commit.ts";
import { flagEntry, readFlag } from "../commit/ledger-entry.ts";
import { type LedgerView, positionText } from "../commit/ledger-view.ts";
import { type Change, planChanges } from "../commit/plan.ts";
import { type ExitCode, exitCode } from "../exit-code.ts";
import { formatJson } from "../output.ts";
import type { FlagPath } from "./flag-path.ts";

/**
 * A flag as it is; undefined when there is none.
 * @throws HeadwaterError `conflict` for one that this version can not read, so must not change
 */
export function editableFlag(view: LedgerView, { project, flag }: FlagPath): Flag | undefined {
  const value = view.entries.get(`flag/${flag}`);
  if (value === undefined) return undefined;
  const read = readFlag(value);
  if (read !== undefined) return read;
  throw new HeadwaterError({
    kind: "conflict",
    message: `${project}/${flag} was written by a newer version, or by something else`,
    hint: "Update headwater, or replace the whole flag with `headwater apply`.",
  });
}

/** @throws HeadwaterError `unknown` */
export function existingFlag(view: LedgerView, path: FlagPath): Flag {
  const flag = editableFlag(view, path);
  if (flag !== undefined) return flag;
  throw noSuchFlag(path);
}

export function noSuchFlag({ project, flag }: FlagPath): HeadwaterError {
  return new HeadwaterError({
    kind: "unknown",
    message: `${project} has no flag ${flag}`,
    hint: `\`headwater flag list ${project}\` shows those it has.`,
  });
}

/** Makes one flag as given, says what that changed, and ends. */
export async function putFlag(
  context: CommandContext,
  of: { view: LedgerView; flag: Flag; json: boolean | undefined },
): Promise<ExitCode> {
  const wanted = [flagEntry(of.flag)];
  const changes = planChanges({ held: of.view.entries, wanted, pruned: new Set() });
  return makeChanges(context, { ...of, changes });
}

/** Commits what is to change, if anything is, and says so. */
export async function makeChanges(
  context: CommandContext,
  of: {
    view: LedgerView;
    changes: readonly Change[];
    json: boolean | undefined;
    /** What is changed, for people, when that is not the project itself. */
    title?: string;
  },
): Promise<ExitCode> {
  const { terminal } = context;
  const { project } = of.view.ledger;
  const title = of.title ?? project;
  const { position, changed } =
    of.changes.length === 0
      ? { position: of.view.position, changed: false }
      : await commitChanges(context, of);
  if (of.json) {
    terminal.print(formatJson({ project, changed, position, changes: changeRecords(of.changes) }));
    return exitCode.done;
  }
  if (changed) terminal.print(changeLines(of.changes, terminal));
  const text = positionText(position);
  terminal.print(changed ? `${title} is at ${text}` : `nothing to change; ${title} is at ${text}`);
  return exitCode.done;
}
