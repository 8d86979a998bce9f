import type { Command } from "commander";
import type { HistoryRecord } from "../../gen/headwater/v1/ledgers_pb.ts";
import { splitEntryKey } from "../../relay/ledger/entry.ts";
import { changeRecords } from "./change-lines.ts";
import { addCommand, answer, type CommandContext, type CommonOptions } from "./command.ts";
import { exitCode } from "./exit-code.ts";
import { parseFlagPath, parseProject } from "./flag-path.ts";
import { positionText } from "./ledger-view.ts";
import { countOption } from "./number-option.ts";
import { formatJson, formatTable } from "./output.ts";
import { type Change, changeSentence, signOf } from "./plan.ts";
import { formatTime } from "./time-text.ts";

interface HistoryOptions extends CommonOptions {
  readonly limit?: number;
}

export function addFlagHistoryCommand(parent: Command, context: CommandContext): void {
  addCommand(parent, {
    name: "history",
    summary: "show what was changed, when, and by whom",
    details:
      "Newest first, as this node has seen it; who it was stays at the node where it was done.",
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
        if (options.json) terminal.print(formatJson(records.map(jsonOf)));
        else if (records.length === 0) terminal.print("no changes");
        else terminal.print(formatTable({ head: historyHead, rows: records.map(rowOf), terminal }));
        return exitCode.done;
      }),
    );
}

const historyHead = ["time", "position", "", "change", "by"];

function keyOf(text: string): { project: string; key: string } {
  if (!text.includes("/")) return { project: parseProject(text), key: "" };
  const { project, flag } = parseFlagPath(text);
  return { project, key: `flag/${flag}` };
}

function changeOf({ key, before, after }: HistoryRecord): Change {
  return { key, before, after };
}

function rowOf(record: HistoryRecord): string[] {
  const change = changeOf(record);
  return [
    formatTime(Number(record.atMs)),
    positionText(record.position),
    signOf(change),
    changeSentence(change),
    record.actor,
  ];
}

function jsonOf(record: HistoryRecord): object {
  return {
    atMs: record.atMs,
    position: record.position,
    authority: record.ledger?.authority,
    kind: splitEntryKey(record.key).kind,
    ...changeRecords([changeOf(record)])[0],
    actor: record.actor,
  };
}
