import type { Command } from "commander";
import { addCommand, answer, type CommandContext, type CommonOptions } from "../command.ts";
import { readLedger } from "../commit/ledger-view.ts";
import { liftsKill } from "../commit/plan.ts";
import { agreed } from "../consent.ts";
import { exitCode } from "../exit-code.ts";
import { makeChanges, noSuchFlag } from "./flag-edit.ts";
import { parseFlagPath } from "./flag-path.ts";

interface DeleteOptions extends CommonOptions {
  readonly yes?: boolean;
}

export function addFlagDeleteCommand(parent: Command, context: CommandContext): void {
  addCommand(parent, {
    name: "delete",
    summary: "delete a flag",
    details:
      "Apps that still ask for it get the default that they have in their code, which is mostly " +
      "off.",
    examples: ["headwater flag delete horizon/legacy-auth --yes"],
  })
    .argument("<PROJECT/FLAG>", "the flag")
    .option("--yes", "do not ask")
    .action(
      answer(context, async (text: string, options: DeleteOptions) => {
        const path = parseFlagPath(text);
        const view = await readLedger(context.admin(), path.project);
        const key = `flag/${path.flag}`;
        const before = view.entries.get(key);
        if (before === undefined) throw noSuchFlag(path);
        const changes = [{ key, before, after: undefined }];
        const killed = changes.some(liftsKill) ? " It is killed, and that would end." : "";
        const question = `Delete ${text}?${killed}`;
        if (!(await agreed(context.terminal, { yes: options.yes, question }))) return exitCode.no;
        return makeChanges(context, { view, changes, json: options.json });
      }),
    );
}
