import type { Command } from "commander";
import { addCommand, answer, type CommandContext, type CommonOptions } from "./command.ts";
import { exitCode } from "./exit-code.ts";
import { formatCount, formatJson } from "./output.ts";

export function addChildRevokeCommand(parent: Command, context: CommandContext): void {
  addCommand(parent, {
    name: "revoke",
    summary: "end all join tokens of a child, and its links",
    examples: ["headwater child revoke acme"],
  })
    .argument("<NAME>", "the child's site")
    .action(
      answer(context, async (name: string, options: CommonOptions) => {
        const { terminal } = context;
        const { revokedCount } = await context.admin().nodes.revokeChild({ name });
        if (options.json) terminal.print(formatJson({ name, revokedCount }));
        else terminal.print(`revoked ${formatCount(revokedCount, "token")} of ${name}`);
        return exitCode.done;
      }),
    );
}
