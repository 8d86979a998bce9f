import type { Command } from "commander";
import { addCommand, answer, type CommandContext, type CommonOptions } from "../command.ts";
import { positionText, readLedger } from "../commit/ledger-view.ts";
import { exitCode } from "../exit-code.ts";
import { formatJson, formatTable } from "../output.ts";
import { existingFlag } from "./flag-edit.ts";
import { parseFlagPath } from "./flag-path.ts";
import { recordOf } from "./flag-record.ts";
import { flagWords } from "./flag-words.ts";

export function addFlagGetCommand(parent: Command, context: CommandContext): void {
  addCommand(parent, {
    name: "get",
    summary: "show one flag",
    details:
      "As the project's own ledger has it; `explain` shows what overlays make of it. Exits 1 " +
      "when there is no such flag.",
    examples: ["headwater flag get horizon/new-scheduler"],
  })
    .argument("<PROJECT/FLAG>", "the flag")
    .action(
      answer(context, async (text: string, options: CommonOptions) => {
        const { terminal } = context;
        const path = parseFlagPath(text);
        const view = await readLedger(context.admin(), path.project);
        const flag = existingFlag(view, path);
        if (options.json) {
          terminal.print(formatJson({ project: path.project, name: flag.name, ...recordOf(flag) }));
          return exitCode.done;
        }
        const { percent, versions, kill, note } = flagWords(flag);
        const rows = [["percent", percent]];
        if (versions !== "") rows.push(["versions", versions]);
        if (kill !== "") rows.push(["killed for", terminal.paint("red", kill)]);
        if (note !== "") rows.push(["note", note]);
        rows.push(["position", `${positionText(view.position)}, ${view.freshness}`]);
        terminal.print(
          `${terminal.paint("bold", text)}\n${formatTable({ head: [], rows, terminal })}`,
        );
        return exitCode.done;
      }),
    );
}
