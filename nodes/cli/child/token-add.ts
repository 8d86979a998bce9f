import type { Command } from "commander";
import { isName } from "../../../relay/flag/name.ts";
import { quoted } from "../../../relay/quoted.ts";
import { isOperatorScope, operatorScopes } from "../../../relay/trust/operator-tokens.ts";
import { HeadwaterError } from "../../error.ts";
import { addCommand, answer, type CommandContext, type CommonOptions } from "../command.ts";
import { exitCode } from "../exit-code.ts";
import { durationOption } from "../number-option.ts";
import { formatJson } from "../output.ts";
import { formatTime } from "../time-text.ts";

interface TokenAddOptions extends CommonOptions {
  readonly scope: readonly string[];
  /** Milliseconds. */
  readonly expires?: number;
}

export function addTokenAddCommand(parent: Command, context: CommandContext): void {
  addCommand(parent, {
    name: "add",
    summary: "make a token for a pipeline, a colleague or a dashboard",
    details:
      "Prints the token, and nothing else, on stdout, once: the node keeps its hash. What it lets " +
      "its holder do: read, look at everything; flags, change flags and rollouts; overlay, change " +
      "this site's overlays; admin, everything. Each lets read as well.",
    examples: [
      "headwater token add ci --scope flags --expires 90d > ci.token",
      "headwater token add grafana --scope read",
    ],
  })
    .argument("<NAME>", "what the audit will call it")
    .requiredOption("--scope <SCOPE...>", `some of ${operatorScopes.join(", ")}`)
    .option("--expires <DURATION>", "how long it is good for", durationOption)
    .action(
      answer(context, async (name: string, options: TokenAddOptions) => {
        const { terminal } = context;
        if (!isName(name))
          throw new HeadwaterError({
            kind: "invalid",
            message: `${quoted(name)} is no name of a token`,
            hint: "Write 1 to 100 letters, digits, dots, dashes and underscores.",
          });
        const scopes = scopesOf(options.scope);
        const expiresMs = options.expires === undefined ? 0 : terminal.wallMs() + options.expires;
        const { token } = await context.admin().operators.addToken({
          name,
          scopes,
          expiresMs: BigInt(Math.floor(expiresMs)),
        });
        terminal.print(options.json ? formatJson({ name, scopes, token, expiresMs }) : token);
        if (!options.json) terminal.note(whatNext(name, expiresMs));
        return exitCode.done;
      }),
    );
}

/** One option may name several, with commas as well. */
function scopesOf(texts: readonly string[]): string[] {
  const scopes = texts.flatMap((text) => text.split(","));
  const strange = scopes.find((scope) => !isOperatorScope(scope));
  if (strange === undefined) return scopes;
  throw new HeadwaterError({
    kind: "invalid",
    message: `--scope: ${quoted(strange)} is none`,
    hint: `Write some of ${operatorScopes.join(", ")}.`,
  });
}

function whatNext(name: string, expiresMs: number): string {
  const end =
    expiresMs === 0 ? `until \`headwater token revoke ${name}\`` : `until ${formatTime(expiresMs)}`;
  return `good ${end}; whoever is to use it sets HEADWATER_ADMIN_TOKEN`;
}
