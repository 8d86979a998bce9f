import type { Command } from "commander";
import { HeadwaterError } from "../../error.ts";
import { addCommand, answer, type CommandContext, type CommonOptions } from "../command.ts";
import { flagOf } from "../commit/ledger-entry.ts";
import { readLedger } from "../commit/ledger-view.ts";
import type { ExitCode } from "../exit-code.ts";
import { existingFlag, putFlag } from "./flag-edit.ts";
import { parseFlagPath } from "./flag-path.ts";
import { noteOption, rangeOption } from "./flag-saying.ts";
import { everyBuild, joinKills } from "./kill-range.ts";

interface KillOptions extends CommonOptions {
  readonly versions?: string;
  readonly note?: string;
}

export function addFlagKillCommand(parent: Command, context: CommandContext): void {
  addCommand(parent, {
    name: "kill",
    summary: "switch a flag off, whatever its percentage",
    details:
      "For every build, or for those of a range; builds of no published release are in every " +
      "range. Adds to a kill that there is, and never lifts one: `flag revive` does.",
    examples: [
      "headwater flag kill horizon/new-scheduler",
      "headwater flag kill horizon/new-scheduler --versions '<2.3.5' --note CVE-2026-0001",
    ],
  })
    .argument("<PROJECT/FLAG>", "the flag")
    .option("--versions <RANGE>", "only these releases", everyBuild)
    .option("--note <TEXT>", "why; travels with the flag")
    .action(
      answer(context, async (path: string, options: KillOptions) =>
        killFlag(context, path, options),
      ),
    );
}

async function killFlag(
  context: CommandContext,
  text: string,
  options: KillOptions,
): Promise<ExitCode> {
  const path = parseFlagPath(text);
  const added = rangeOption(options.versions ?? everyBuild) || everyBuild;
  const note = options.note === undefined ? undefined : noteOption(options.note);
  const view = await readLedger(context.admin(), path.project);
  const before = existingFlag(view, path);
  const held = before.kill?.versions;
  const versions = held === undefined ? added : joinKills(held, added);
  if (versions === undefined)
    throw new HeadwaterError({
      kind: "limit",
      message: `the kill there is, ${held}, and this one do not fit into one range`,
      hint: "Kill every build, by leaving out --versions, or a range that holds both.",
    });
  const flag = flagOf({ ...before, kill: versions, note: note ?? before.note });
  return putFlag(context, { view, flag, json: options.json });
}
