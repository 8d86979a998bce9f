import { type Command, Option } from "commander";
import { entryKey, ruleEffects } from "../../../relay/ledger/entry.ts";
import { addCommand, answer, type CommandContext, type CommonOptions } from "../command.ts";
import { ruleKey } from "../commit/ledger-entry.ts";
import type { ExitCode } from "../exit-code.ts";
import { makeChanges } from "../flag/flag-edit.ts";
import { parseBuildPath } from "./overlay-alias.ts";
import { overlayTitle, parseRulePath, readOwnOverlay } from "./overlay-ledger.ts";

interface ClearOptions extends CommonOptions {
  readonly cap?: boolean;
  readonly kill?: boolean;
  readonly pin?: boolean;
  readonly alias?: boolean;
}

export function addOverlayClearCommand(parent: Command, context: CommandContext): void {
  addCommand(parent, {
    name: "clear",
    summary: "take back what this node's overlay says about a flag or a build",
    details:
      "All of it, or what is named. What other layers say stays, and so does a rule for 'PROJECT/*', " +
      "which then counts for the flag.",
    examples: [
      "headwater overlay clear horizon/new-scheduler",
      "headwater overlay clear 'horizon/*' --kill",
      "headwater overlay clear horizon/2.3.0-4.el9 --alias",
    ],
  })
    .argument("<PROJECT/FLAG>", "the flag, 'PROJECT/*' for what is said about all, or a build")
    .option("--cap", "the cap")
    .option("--kill", "the kill")
    .option("--pin", "the pin")
    .addOption(new Option("--alias", "the alias of a build").conflicts([...ruleEffects]))
    .action(
      answer(context, async (path: string, options: ClearOptions) => clear(context, path, options)),
    );
}

async function clear(
  context: CommandContext,
  text: string,
  options: ClearOptions,
): Promise<ExitCode> {
  const { project, keys } = options.alias ? aliasNamed(text) : rulesNamed(text, options);
  const view = await readOwnOverlay(context.admin(), project);
  const changes = keys.flatMap((key) => {
    const before = view.entries.get(key);
    return before === undefined ? [] : [{ key, before, after: undefined }];
  });
  return makeChanges(context, { view, changes, json: options.json, title: overlayTitle(view) });
}

function rulesNamed(text: string, options: ClearOptions): { project: string; keys: string[] } {
  const { project, flag } = parseRulePath(text);
  const named = ruleEffects.filter((effect) => options[effect] === true);
  const effects = named.length === 0 ? ruleEffects : named;
  return { project, keys: effects.map((effect) => ruleKey(effect, flag)) };
}

function aliasNamed(text: string): { project: string; keys: string[] } {
  const { project, build } = parseBuildPath(text);
  return { project, keys: [entryKey("alias", build)] };
}
