import type { Command } from "commander";
import { addCommand, answer, type CommandContext, type CommonOptions } from "./command.ts";
import { exitCode } from "./exit-code.ts";
import { historyJson, historyRow } from "./flag/history-record.ts";
import { countOption } from "./number-option.ts";
import { formatJson, formatTable } from "./output.ts";

interface AuditOptions extends CommonOptions {
  readonly limit?: number;
}

export function addAuditCommand(parent: Command, context: CommandContext): void {
  addCommand(parent, {
    name: "audit",
    summary: "show all that was changed at this node: who, when, from where",
    details:
      "Newest first, of every project and of the node itself: children, tokens, disclosure. It " +
      "can only grow; the oldest go when there are more than a hundred thousand.",
    examples: ["headwater audit", "headwater audit --limit 20 --json"],
  })
    .option("--limit <COUNT>", "at most so many changes", countOption, 100)
    .action(
      answer(context, async (options: AuditOptions) => {
        const { terminal } = context;
        const limit = options.limit ?? 0;
        const { records } = await context.admin().operators.listAudit({ limit });
        const rows = records.map((record) => {
          const [time = "", , ...rest] = historyRow(record);
          return [time, record.ledger?.project ?? "", ...rest];
        });
        const head = ["time", "project", "", "change", "by", "with"];
        if (options.json) terminal.print(formatJson(records.map(historyJson)));
        else if (records.length === 0) terminal.print("nothing was changed yet");
        else terminal.print(formatTable({ head, rows, terminal }));
        return exitCode.done;
      }),
    );
}
