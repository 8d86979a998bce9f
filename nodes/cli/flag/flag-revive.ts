import type { Command } from "commander";
import { addCommand, answer, type CommandContext, type CommonOptions } from "../command.ts";
import { flagOf } from "../commit/ledger-entry.ts";
import { readLedger } from "../commit/ledger-view.ts";
import { existingFlag, putFlag } from "./flag-edit.ts";
import { parseFlagPath } from "./flag-path.ts";
import { noteOption } from "./flag-saying.ts";

interface ReviveOptions extends CommonOptions {
  readonly note?: string;
}

export function addFlagReviveCommand(parent: Command, context: CommandContext): void {
  addCommand(parent, {
    name: "revive",
    summary: "lift a flag's kill",
    details: "The flag is then what its percentage and its versions say. Kills of overlays stay.",
    examples: ["headwater flag revive horizon/new-scheduler --note 'fixed in 2.3.5'"],
  })
    .argument("<PROJECT/FLAG>", "the flag")
    .option("--note <TEXT>", "why; travels with the flag")
    .action(
      answer(context, async (text: string, options: ReviveOptions) => {
        const path = parseFlagPath(text);
        const note = options.note === undefined ? undefined : noteOption(options.note);
        const view = await readLedger(context.admin(), path.project);
        const before = existingFlag(view, path);
        const flag = flagOf({ ...before, kill: undefined, note: note ?? before.note });
        return putFlag(context, { view, flag, json: options.json });
      }),
    );
}
