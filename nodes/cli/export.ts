import { type Command, Option } from "commander";
import { addCommand, answer, type CommandContext, type CommonOptions } from "./command.ts";
import { readLedger } from "./commit/ledger-view.ts";
import { exitCode } from "./exit-code.ts";
import { flagdExport } from "./file/flagd-export.ts";
import { parseProject } from "./flag/flag-path.ts";
import { formatJson } from "./output.ts";

export function addExportCommand(parent: Command, context: CommandContext): void {
  addCommand(parent, {
    name: "export",
    summary: "write a project's flags for another system",
    details:
      "As the project's own ledger has them, to stdout. A percentage becomes a fractional, ranges " +
      "of versions become lists of the releases that are published now. What can not be carried " +
      "over is listed on stderr with its JSON path, and the exit code is 1.",
    examples: ["headwater export horizon --to flagd > horizon.flagd.json"],
  })
    .argument("<PROJECT>", "the project")
    .addOption(new Option("--to <SYSTEM>", "for whom").choices(["flagd"]).makeOptionMandatory())
    .action(
      answer(context, async (text: string, options: CommonOptions) => {
        const view = await readLedger(context.admin(), parseProject(text));
        const { file, lost } = flagdExport(view);
        context.terminal.print(formatJson(options.json ? { file, lost } : file));
        for (const line of lost) context.terminal.note(`not carried over: ${line}`);
        return lost.length === 0 ? exitCode.done : exitCode.no;
      }),
    );
}
