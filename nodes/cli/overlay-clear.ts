import type { Command } from "commander";
import { ruleEffects } from "../../relay/ledger/entry.ts";
import { addCommand, answer, type CommandContext, type CommonOptions } from "./command.ts";
import type { ExitCode } from "./exit-code.ts";
import { makeChanges } from "./flag-edit.ts";
import { ruleKey } from "./ledger-entry.ts";
import { overlayTitle, parseRulePath, readOwnOverlay } from "./overlay-ledger.ts";

interface ClearOptions extends CommonOptions {
  readonly cap?: boolean;
  readonly kill?: boolean;
  readonly pin?: boolean;
}

export function addOverlayClearCommand(parent: Command, context: CommandContext): void {
  addCommand(parent, {
    name: "clear",
    summary: "take back what this node's overlay says about a flag",
    details:
      "All of it, or what is named. What other layers say stays, and so does a rule for 'PROJECT/*', " +
      "which then counts for the flag.",
    examples: [
      "headwater overlay clear horizon/new-scheduler",
      "headwater overlay clear 'horizon/*' --kill",
    ],
  })
    .argument("<PROJECT/FLAG>", "the flag, or 'PROJECT/*' for what is said about all")
    .option("--cap", "the cap")
    .option("--kill", "the kill")
    .option("--pin", "the pin")
    .action(
      answer(context, async (path: string, options: ClearOptions) => clear(context, path, options)),
    );
}

async function clear(
  context: CommandContext,
  text: string,
  options: ClearOptions,
): Promise<ExitCode> {
  const { project, flag } = parseRulePath(text);
  const view = await readOwnOverlay(context.admin(), project);
  const named = ruleEffects.filter((effect) => options[effect] === true);
  const changes = (named.length === 0 ? ruleEffects : named).flatMap((effect) => {
    const key = ruleKey(effect, flag);
    const before = view.entries.get(key);
    return before === undefined ? [] : [{ key, before, after: undefined }];
  });
  return makeChanges(context, { view, changes, json: options.json, title: overlayTitle(view) });
}
