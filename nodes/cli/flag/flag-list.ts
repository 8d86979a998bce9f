import type { Command } from "commander";
import { addCommand, answer, type CommandContext, type CommonOptions } from "../command.ts";
import {
  flagsOf,
  type LedgerView,
  namesOf,
  positionText,
  readLedger,
} from "../commit/ledger-view.ts";
import { exitCode } from "../exit-code.ts";
import { formatCount, formatJson, formatTable } from "../output.ts";
import type { Terminal } from "../terminal.ts";
import { parseProject } from "./flag-path.ts";
import { fileOf } from "./flag-record.ts";
import { flagWords } from "./flag-words.ts";

export function addFlagListCommand(parent: Command, context: CommandContext): void {
  addCommand(parent, {
    name: "list",
    summary: "list a project's flags",
    details:
      "As the project's own ledger has them; `explain` shows what overlays make of one. With " +
      "--json it is a flag file, which `headwater apply` takes.",
    examples: ["headwater flag list horizon", "headwater flag list horizon --json > horizon.json"],
  })
    .argument("<PROJECT>", "the project")
    .action(
      answer(context, async (text: string, options: CommonOptions) => {
        const view = await readLedger(context.admin(), parseProject(text));
        const { terminal } = context;
        terminal.print(options.json ? formatJson(fileOf(view)) : listText(view, terminal));
        return exitCode.done;
      }),
    );
}

function listText(view: LedgerView, terminal: Terminal): string {
  const rows = [...flagsOf(view)].map(([name, flag]) => {
    if (flag === undefined) return [name, "not understood", "", "", ""];
    const { percent, versions, kill, note } = flagWords(flag);
    return [name, percent, versions, terminal.paint("red", kill), note];
  });
  const head = ["flag", "percent", "versions", "killed for", "note"];
  const releases = formatCount(namesOf(view, "release").length, "release");
  const counts = `${releases}, ${formatCount(namesOf(view, "feature").length, "feature")}`;
  const writable = view.writable ? ", written here" : "";
  const place = `${view.ledger.project} at ${positionText(view.position)}`;
  const summary = `${place}, ${view.freshness}${writable}; ${counts}`;
  return rows.length === 0
    ? `${summary}; no flags`
    : `${summary}\n\n${formatTable({ head, rows, terminal })}`;
}
