import { create } from "@bufbuild/protobuf";
import type { Command } from "commander";
import { CapSchema } from "../../../gen/headwater/v1/flag_pb.ts";
import { addCommand, answer, type CommandContext, type CommonOptions } from "../command.ts";
import type { ExitCode } from "../exit-code.ts";
import { noteOption, percentArgument, rangeOption } from "../flag/flag-saying.ts";
import { parseRulePath, putRule, readOwnOverlay, ruleIn } from "./overlay-ledger.ts";

interface CapOptions extends CommonOptions {
  readonly versions?: string;
  readonly note?: string;
}

export function addOverlayCapCommand(parent: Command, context: CommandContext): void {
  addCommand(parent, {
    name: "cap",
    summary: "the most that a flag may reach here and downstream",
    details:
      "With 'PROJECT/*' all flags, those to come as well; a rule that names its flag goes before " +
      "that. Versions and note stay as they are unless given. A cap never turns anything on.",
    examples: [
      "headwater overlay cap horizon/new-scheduler 1% --note 'waiting for QA'",
      "headwater overlay cap 'horizon/*' 25% --versions '<2.4.0'",
    ],
  })
    .argument("<PROJECT/FLAG>", "the flag, or 'PROJECT/*' for all")
    .argument("<PERCENT>", "0% to 100%, in steps of 0.01%")
    .option("--versions <RANGE>", "and only these releases may take the path; * is every build")
    .option("--note <TEXT>", "why; travels with the rule")
    .action(
      answer(context, async (path: string, percent: string, options: CapOptions) =>
        cap(context, { path, percent, options }),
      ),
    );
}

async function cap(
  context: CommandContext,
  of: { path: string; percent: string; options: CapOptions },
): Promise<ExitCode> {
  const { versions, note, json } = of.options;
  const { project, flag } = parseRulePath(of.path);
  const basisPoints = percentArgument(of.percent);
  const newVersions = versions === undefined ? undefined : rangeOption(versions);
  const newNote = note === undefined ? undefined : noteOption(note);
  const view = await readOwnOverlay(context.admin(), project);
  const before = ruleIn(view, "cap", flag);
  const held = before?.effect.case === "cap" ? before.effect.value.versions : "";
  const value = create(CapSchema, { basisPoints, versions: newVersions ?? held });
  const effect = { case: "cap", value } as const;
  return putRule(context, {
    view,
    rule: { flag, effect, note: newNote ?? before?.note ?? "" },
    json,
  });
}
