import { create } from "@bufbuild/protobuf";
import type { Command } from "commander";
import { PinSchema } from "../../../gen/headwater/v1/flag_pb.ts";
import { addCommand, answer, type CommandContext, type CommonOptions } from "../command.ts";
import type { ExitCode } from "../exit-code.ts";
import { noteOption, percentArgument } from "../flag/flag-saying.ts";
import { parseRulePath, putRule, readOwnOverlay, ruleIn } from "./overlay-ledger.ts";

interface PinOptions extends CommonOptions {
  readonly note?: string;
}

export function addOverlayPinCommand(parent: Command, context: CommandContext): void {
  addCommand(parent, {
    name: "pin",
    summary: "put a percentage in the place of the project's, if it has granted that",
    details:
      "The only rule that can turn on what upstream did not, so the root of the project has to " +
      "grant it, with the flags and how high; it is refused otherwise. Kills, versions and caps " +
      "of all layers still count.",
    examples: ["headwater overlay pin horizon/new-scheduler 50%"],
  })
    .argument("<PROJECT/FLAG>", "the flag, or 'PROJECT/*' for all")
    .argument("<PERCENT>", "0% to 100%, in steps of 0.01%")
    .option("--note <TEXT>", "why; travels with the rule")
    .action(
      answer(context, async (path: string, percent: string, options: PinOptions) =>
        pin(context, { path, percent, options }),
      ),
    );
}

async function pin(
  context: CommandContext,
  of: { path: string; percent: string; options: PinOptions },
): Promise<ExitCode> {
  const { note, json } = of.options;
  const { project, flag } = parseRulePath(of.path);
  const basisPoints = percentArgument(of.percent);
  const newNote = note === undefined ? undefined : noteOption(note);
  const view = await readOwnOverlay(context.admin(), project);
  const effect = { case: "pin", value: create(PinSchema, { basisPoints }) } as const;
  const rule = { flag, effect, note: newNote ?? ruleIn(view, "pin", flag)?.note ?? "" };
  return putRule(context, { view, rule, json });
}
