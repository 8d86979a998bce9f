import type { Command } from "commander";
import { addCommand, answer, type CommandContext, type CommonOptions } from "../command.ts";
import { exitCode } from "../exit-code.ts";
import { formatJson, formatTable } from "../output.ts";
import { formatTime } from "../time-text.ts";

export function addTokenListCommand(parent: Command, context: CommandContext): void {
  addCommand(parent, {
    name: "list",
    summary: "list the tokens that were made, and what they are for",
    examples: ["headwater token list"],
  }).action(
    answer(context, async (options: CommonOptions) => {
      const { terminal } = context;
      const { tokens } = await context.admin().operators.listTokens({});
      const rows = tokens.map(({ name, scopes, addedMs, expiresMs }) => [
        name,
        scopes.join(", "),
        formatTime(Number(addedMs)),
        expiryText(Number(expiresMs), terminal.wallMs()),
      ]);
      const head = ["token", "scopes", "added", "expires"];
      if (options.json) terminal.print(formatJson(tokens));
      else if (rows.length === 0) terminal.print("no tokens but the node's own, admin.token");
      else terminal.print(formatTable({ head, rows, terminal }));
      return exitCode.done;
    }),
  );
}

function expiryText(expiresMs: number, wallMs: number): string {
  if (expiresMs === 0) return "never";
  return expiresMs <= wallMs ? "expired" : formatTime(expiresMs);
}
