import { create } from "@bufbuild/protobuf";
import type { Command } from "commander";
import { KillSchema } from "../../../gen/headwater/v1/flag_pb.ts";
import { HeadwaterError } from "../../error.ts";
import { addCommand, answer, type CommandContext, type CommonOptions } from "../command.ts";
import type { LedgerView } from "../commit/ledger-view.ts";
import type { ExitCode } from "../exit-code.ts";
import { noteOption, rangeOption } from "../flag/flag-saying.ts";
import { everyBuild, joinKills } from "../flag/kill-range.ts";
import { everyFlag, parseRulePath, putRule, readOwnOverlay, ruleIn } from "./overlay-ledger.ts";

interface KillOptions extends CommonOptions {
  readonly versions?: string;
  readonly note?: string;
}

export function addOverlayKillCommand(parent: Command, context: CommandContext): void {
  addCommand(parent, {
    name: "kill",
    summary: "switch a flag off here and downstream",
    details:
      "For every build, or for those of a range; builds of no published release are in every " +
      "range. Adds to a kill that there is, and never lifts one: `overlay clear --kill` does.",
    examples: [
      "headwater overlay kill horizon/new-scheduler --note 'hangs with our patches'",
      "headwater overlay kill 'horizon/*' --versions '<2.3.5'",
    ],
  })
    .argument("<PROJECT/FLAG>", "the flag, or 'PROJECT/*' for all")
    .option("--versions <RANGE>", "only these releases", everyBuild)
    .option("--note <TEXT>", "why; travels with the rule")
    .action(
      answer(context, async (path: string, options: KillOptions) => kill(context, path, options)),
    );
}

async function kill(
  context: CommandContext,
  text: string,
  options: KillOptions,
): Promise<ExitCode> {
  const { project, flag } = parseRulePath(text);
  const added = rangeOption(options.versions ?? everyBuild) || everyBuild;
  const note = options.note === undefined ? undefined : noteOption(options.note);
  const view = await readOwnOverlay(context.admin(), project);
  const versions = joinedWith(view, flag, added);
  const effect = { case: "kill", value: create(KillSchema, { versions }) } as const;
  const rule = { flag, effect, note: note ?? ruleIn(view, "kill", flag)?.note ?? "" };
  return putRule(context, { view, rule, json: options.json });
}

/** A rule for one flag goes before the one for all, so it has to kill what that one does as well. */
function joinedWith(view: LedgerView, flag: string, added: string): string {
  let versions = added;
  for (const name of [everyFlag, flag]) {
    const held = ruleIn(view, "kill", name);
    if (held?.effect.case !== "kill") continue;
    const joined = joinKills(held.effect.value.versions || everyBuild, versions);
    if (joined === undefined)
      throw new HeadwaterError({
        kind: "limit",
        message: `the kill there is, ${held.effect.value.versions}, and this one do not fit into one range`,
        hint: "Kill every build, by leaving out --versions, or a range that holds both.",
      });
    versions = joined;
  }
  return versions;
}
