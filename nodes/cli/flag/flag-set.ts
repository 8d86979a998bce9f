import type { Command } from "commander";
import { addCommand, answer, type CommandContext, type CommonOptions } from "../command.ts";
import { flagOf } from "../commit/ledger-entry.ts";
import { readLedger } from "../commit/ledger-view.ts";
import type { ExitCode } from "../exit-code.ts";
import { editableFlag, putFlag } from "./flag-edit.ts";
import { parseFlagPath } from "./flag-path.ts";
import { noteOption, percentArgument, rangeOption } from "./flag-saying.ts";

interface SetOptions extends CommonOptions {
  readonly versions?: string;
  readonly note?: string;
}

export function addFlagSetCommand(parent: Command, context: CommandContext): void {
  addCommand(parent, {
    name: "set",
    summary: "set a flag's percentage",
    details:
      "Creates the flag when there is none. Versions and note stay as they are unless given; a " +
      "kill always stays. A rollout by versions is replaced by the one percentage.",
    examples: [
      "headwater flag set horizon/new-scheduler 5%",
      "headwater flag set horizon/fast-path 25% --versions '>=2.3.0' --note 'see …/123'",
    ],
  })
    .argument("<PROJECT/FLAG>", "the flag")
    .argument("<PERCENT>", "0% to 100%, in steps of 0.01%")
    .option("--versions <RANGE>", "the releases that may take the path; * is every build")
    .option("--note <TEXT>", "why; travels with the flag")
    .action(
      answer(context, async (path: string, percent: string, options: SetOptions) =>
        setFlag(context, { path, percent, options }),
      ),
    );
}

async function setFlag(
  context: CommandContext,
  of: { path: string; percent: string; options: SetOptions },
): Promise<ExitCode> {
  const { versions, note, json } = of.options;
  const path = parseFlagPath(of.path);
  const basisPoints = percentArgument(of.percent);
  const newVersions = versions === undefined ? undefined : rangeOption(versions);
  const newNote = note === undefined ? undefined : noteOption(note);
  const view = await readLedger(context.admin(), path.project);
  const before = editableFlag(view, path);
  const flag = flagOf({
    name: path.flag,
    basisPoints,
    versions: newVersions ?? before?.versions ?? "",
    kill: before?.kill?.versions,
    note: newNote ?? before?.note ?? "",
  });
  return putFlag(context, { view, flag, json });
}
