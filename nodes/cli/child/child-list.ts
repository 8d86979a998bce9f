import type { Command } from "commander";
import type { Child } from "../../../gen/headwater/v1/nodes_pb.ts";
import { addCommand, answer, type CommandContext, type CommonOptions } from "../command.ts";
import { exitCode } from "../exit-code.ts";
import { formatJson, formatTable } from "../output.ts";
import { formatTime } from "../time-text.ts";

export function addChildListCommand(parent: Command, context: CommandContext): void {
  addCommand(parent, {
    name: "list",
    summary: "list the join tokens that were made",
    examples: ["headwater child list"],
  }).action(
    answer(context, async (options: CommonOptions) => {
      const { terminal } = context;
      const { children } = await context.admin().nodes.listChildren({});
      const rows = children.map((child) => rowOf(child, terminal.wallMs()));
      if (options.json) terminal.print(formatJson(children));
      else if (rows.length === 0) terminal.print("no children");
      else
        terminal.print(
          formatTable({ head: ["child", "added", "expires", "state"], rows, terminal }),
        );
      return exitCode.done;
    }),
  );
}

function rowOf(child: Child, wallMs: number): string[] {
  const expiresMs = Number(child.expiresMs);
  return [
    child.name,
    formatTime(Number(child.addedMs)),
    expiresMs === 0 ? "never" : formatTime(expiresMs),
    stateOf(child, expiresMs !== 0 && expiresMs <= wallMs),
  ];
}

function stateOf({ revoked, connected }: Child, isExpired: boolean): string {
  if (revoked) return "revoked";
  if (isExpired) return "expired";
  return connected ? "connected" : "not connected";
}
