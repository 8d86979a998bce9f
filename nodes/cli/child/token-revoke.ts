import type { Command } from "commander";
import { addCommand, answer, type CommandContext, type CommonOptions } from "../command.ts";
import { exitCode } from "../exit-code.ts";
import { formatJson } from "../output.ts";

export function addTokenRevokeCommand(parent: Command, context: CommandContext): void {
  addCommand(parent, {
    name: "revoke",
    summary: "end a token at once",
    examples: ["headwater token revoke ci"],
  })
    .argument("<NAME>", "the token's name")
    .action(
      answer(context, async (name: string, options: CommonOptions) => {
        const { terminal } = context;
        await context.admin().operators.revokeToken({ name });
        terminal.print(options.json ? formatJson({ name }) : `${name} is good for nothing now`);
        return exitCode.done;
      }),
    );
}
