import { create } from "@bufbuild/protobuf";
import type { Command } from "commander";
import { type Cap, CapSchema } from "../../../gen/headwater/v1/flag_pb.ts";
import { HeadwaterError } from "../../error.ts";
import { addCommand, answer, type CommandContext, type CommonOptions } from "../command.ts";
import type { ExitCode } from "../exit-code.ts";
import { type FlagPath, parseFlagPath } from "../flag/flag-path.ts";
import { noteOption } from "../flag/flag-saying.ts";
import { putRule, readOwnOverlay, ruleIn } from "./overlay-ledger.ts";

interface HoldOptions extends CommonOptions {
  readonly note?: string;
}

export function addOverlayHoldCommand(parent: Command, context: CommandContext): void {
  addCommand(parent, {
    name: "hold",
    summary: "let a flag go no further than it is now",
    details:
      "Writes a cap with the percentage and the versions that all layers together come to at this " +
      "node. Less is still possible, and every kill. A flag that is killed for every build is " +
      "held at 0 %.",
    examples: ["headwater overlay hold horizon/new-scheduler --note 'over the holidays'"],
  })
    .argument("<PROJECT/FLAG>", "the flag")
    .option("--note <TEXT>", "why; travels with the rule")
    .action(
      answer(context, async (text: string, options: HoldOptions) => hold(context, text, options)),
    );
}

async function hold(
  context: CommandContext,
  text: string,
  options: HoldOptions,
): Promise<ExitCode> {
  const path = parseFlagPath(text);
  const note = options.note === undefined ? undefined : noteOption(options.note);
  const view = await readOwnOverlay(context.admin(), path.project);
  const value = await capOfNow(context, path);
  const before = ruleIn(view, "cap", path.flag);
  const effect = { case: "cap", value } as const;
  const rule = { flag: path.flag, effect, note: note ?? before?.note ?? "" };
  return putRule(context, { view, rule, json: options.json });
}

async function capOfNow(context: CommandContext, path: FlagPath): Promise<Cap> {
  const explained = await context.admin().nodes.explain(path);
  // Written anew, so that equal rules are equal bytes whatever the node has sent besides.
  if (explained.hold !== undefined) {
    const { basisPoints, versions } = explained.hold;
    return create(CapSchema, { basisPoints, versions });
  }
  if (explained.freshness === "EMPTY")
    throw new HeadwaterError({
      kind: "unavailable",
      message: `nothing verified is held of ${path.project} yet`,
      hint: "`headwater status` shows its upstreams and what they serve.",
    });
  throw new HeadwaterError({
    kind: "conflict",
    message: `${path.project}/${path.flag} can not be held: ${explained.holdProblem}`,
    hint: "Say what it may reach with `headwater overlay cap`, with --versions if need be.",
  });
}
