import type { Command } from "commander";
import { addCommand, answer, type CommandContext, type CommonOptions } from "./command.ts";
import { exitCode } from "./exit-code.ts";
import { formatJson } from "./output.ts";

export function addDashboardCommand(parent: Command, context: CommandContext): void {
  addCommand(parent, {
    name: "dashboard",
    summary: "print the address of the node's page",
    details:
      "The address holds the token behind its #, which browsers do not send; the page keeps it for " +
      "as long as its tab is open. Whoever has the address has the token.",
    examples: ["headwater dashboard", "xdg-open $(headwater dashboard)"],
  }).action(
    answer(context, async (options: CommonOptions) => {
      const { terminal } = context;
      const admin = context.admin();
      // Asked first, so that an address is only printed of a node that is there.
      await admin.nodes.getStatus({});
      const fragment = admin.token === undefined ? "" : `#token=${admin.token}`;
      const url = `${admin.url.replace(/\/$/, "")}/${fragment}`;
      terminal.print(options.json ? formatJson({ url }) : url);
      return exitCode.done;
    }),
  );
}
