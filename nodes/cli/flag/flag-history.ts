import type { Command } from "commander";
import { addCommand, answer, type CommandContext, type CommonOptions } from "../command.ts";
import { exitCode } from "../exit-code.ts";
import { countOption } from "../number-option.ts";
import { formatJson, formatTable } from "../output.ts";
import { parseFlagPath, parseProject } from "./flag-path.ts";
import { historyHead, historyJson, historyRow } from "./history-record.ts";

interface HistoryOptions extends CommonOptions {
  readonly limit?: number;
}

export function addFlagHistoryCommand(parent: Command, context: CommandContext): void {
  addCommand(parent, {
    name: "history",
    summary: "show what was changed, when, and by whom",
    details:
      "Newest first, as this node has seen it. Who it was, from where, with which token and for " +
      "which commit is known where it was done, and stays there.",
    examples: [
      "headwater flag history horizon/new-scheduler",
      "headwater flag history horizon --limit 20",
    ],
  })
    .argument("<PROJECT[/FLAG]>", "the project, or one flag of it")
    .option("--limit <COUNT>", "at most so many changes", countOption, 100)
    .action(
      answer(context, async (text: string, options: HistoryOptions) => {
        const { terminal } = context;
        const { records } = await context.admin().ledgers.listHistory({
          ...keyOf(text),
          limit: options.limit ?? 0,
        });
        if (options.json) terminal.print(formatJson(records.map(historyJson)));
        else if (records.length === 0) terminal.print("no changes");
        else
          terminal.print(
            formatTable({ head: historyHead, rows: records.map(historyRow), terminal }),
          );
        return exitCode.done;
      }),
    );
}

function keyOf(text: string): { project: string; key: string } {
  if (!text.includes("/")) return { project: parseProject(text), key: "" };
  const { project, flag } = parseFlagPath(text);
  return { project, key: `flag/${flag}` };
}
