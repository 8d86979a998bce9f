import type { Command } from "commander";
import { addCommand, answer, type CommandContext, type CommonOptions } from "../command.ts";
import { exitCode } from "../exit-code.ts";
import { formatCount, formatJson } from "../output.ts";

interface RevokeOptions extends CommonOptions {
  readonly older?: boolean;
}

export function addChildRevokeCommand(parent: Command, context: CommandContext): void {
  addCommand(parent, {
    name: "revoke",
    summary: "end the join tokens of a child, its certificates, and its links",
    details:
      "At all nodes of this site, at once. Certificates of its name that are issued from now on are " +
      "taken again. With --older only the tokens before its newest end: to rotate one, add another, " +
      "join with it, and then end the older.",
    examples: ["headwater child revoke acme", "headwater child revoke acme --older"],
  })
    .argument("<NAME>", "the child's site")
    .option("--older", "only the tokens before its newest")
    .action(
      answer(context, async (name: string, options: RevokeOptions) => {
        const { terminal } = context;
        const { revokedCount } = await context.admin().nodes.revokeChild({
          name,
          older: options.older === true,
        });
        if (options.json) terminal.print(formatJson({ name, revokedCount }));
        else terminal.print(`revoked ${formatCount(revokedCount, "token")} of ${name}`);
        return exitCode.done;
      }),
    );
}
