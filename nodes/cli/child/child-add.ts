import type { Command } from "commander";
import { isName } from "../../../relay/flag/name.ts";
import { HeadwaterError } from "../../error.ts";
import { addCommand, answer, type CommandContext, type CommonOptions } from "../command.ts";
import { exitCode } from "../exit-code.ts";
import { durationOption } from "../number-option.ts";
import { formatJson } from "../output.ts";
import { formatTime } from "../time-text.ts";

interface ChildAddOptions extends CommonOptions {
  /** Milliseconds. */
  readonly expires?: number;
  readonly project?: readonly string[];
}

export function addChildAddCommand(parent: Command, context: CommandContext): void {
  addCommand(parent, {
    name: "add",
    summary: "make a join token for a site downstream",
    details:
      "Prints the token, and nothing else, on stdout: addresses, certificate, authorities and a " +
      "secret. Whoever has it is this child, so hand it over like a password. After it expires " +
      "it lets nobody in any more, who has joined with it included.",
    examples: [
      "headwater child add acme > acme.token",
      "headwater child add acme --expires 30d --project horizon",
    ],
  })
    .argument("<NAME>", "the child's site, as this node calls it")
    .option(
      "--expires <DURATION>",
      "how long it is good for; else until it is revoked",
      durationOption,
    )
    .option("--project <PROJECT...>", "only these projects; else all that this node serves")
    .action(
      answer(context, async (name: string, options: ChildAddOptions) => {
        const { terminal } = context;
        if (!isName(name))
          throw new HeadwaterError({
            kind: "invalid",
            message: `${JSON.stringify(name)} is no name of a site`,
            hint: "Write 1 to 100 letters, digits, dots, dashes and underscores.",
          });
        const expiresMs = options.expires === undefined ? 0 : terminal.wallMs() + options.expires;
        const { token } = await context.admin().nodes.addChild({
          name,
          expiresMs: BigInt(Math.floor(expiresMs)),
          projects: [...(options.project ?? [])],
        });
        terminal.print(options.json ? formatJson({ name, token, expiresMs }) : token);
        if (!options.json) terminal.note(whatNext(name, expiresMs));
        return exitCode.done;
      }),
    );
}

function whatNext(name: string, expiresMs: number): string {
  const end =
    expiresMs === 0 ? `until \`headwater child revoke ${name}\`` : `until ${formatTime(expiresMs)}`;
  return `good ${end}; at ${name}: headwater join TOKEN`;
}
