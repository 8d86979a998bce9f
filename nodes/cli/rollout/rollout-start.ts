import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Command } from "commander";
import type { RolloutPlanSchema } from "../../../gen/headwater/v1/rollouts_pb.ts";
import { parseDuration } from "../../../relay/duration.ts";
import { parsePercent } from "../../../relay/flag/percent.ts";
import { quoted } from "../../../relay/quoted.ts";
import { HeadwaterError } from "../../error.ts";
import { addCommand, answer, type CommandContext, type CommonOptions } from "../command.ts";
import { type ExitCode, exitCode } from "../exit-code.ts";
import { parseFlagPath } from "../flag/flag-path.ts";
import { percentArgument } from "../flag/flag-saying.ts";
import { countOption, durationOption, durationOr } from "../number-option.ts";
import { formatJson } from "../output.ts";
import { rolloutText } from "./rollout-words.ts";

interface StartOptions extends CommonOptions {
  readonly steps: string;
  readonly dwell: number;
  readonly release?: string;
  readonly share?: string;
  readonly arrival?: string;
  readonly sites?: number;
  readonly onBad: string;
  readonly goOnAfter?: number;
  readonly hops?: number;
}

const dayMs = 86_400_000;

export function addRolloutStartCommand(parent: Command, context: CommandContext): void {
  addCommand(parent, {
    name: "start",
    summary: "raise a flag's percentage step by step, as long as it does well",
    details:
      "Sets the first percentage at once and each next one by itself: when the step has lasted, " +
      "every site that reports has reported since, and the flag is judged ok. It waits while " +
      "anything of that is not known, and halts as soon as the flag, or the release that carries " +
      "it, is judged bad. While it runs the percentage is its own; a kill is always taken.",
    examples: [
      "headwater rollout start horizon/new-scheduler --steps 1%,5%,25%,100% --on-bad kill",
      "headwater rollout start horizon/new-scheduler --steps 5%:48h,100% --release 2.3.0 --share 20%",
    ],
  })
    .argument("<PROJECT/FLAG>", "the flag")
    .option(
      "--steps <PERCENT[:TIME],…>",
      "percentages, each with how long it lasts",
      "1%,5%,25%,100%",
    )
    .addOption(durationOr(dayMs, "--dwell <TIME>", "how long steps last that do not say so"))
    .option("--release <RELEASE>", "the release that carries the flag; bad is bad for both")
    .option("--share <PERCENT>", "no step before so much runs that release or a newer one")
    .option("--arrival <PERCENT>", "no step before the last one is at so many sites")
    .option("--sites <COUNT>", "no step while fewer sites report", countOption)
    .option("--on-bad <WHAT>", "besides halting: nothing, or kill", "nothing")
    .option(
      "--go-on-after <TIME>",
      "go on when there were too few instances to judge for so long",
      durationOption,
    )
    .option("--hops <COUNT>", "links from here to the farthest site", countOption)
    .action(
      answer(context, async (path: string, options: StartOptions) => start(context, path, options)),
    );
}

async function start(
  context: CommandContext,
  path: string,
  options: StartOptions,
): Promise<ExitCode> {
  const { terminal } = context;
  const { project, flag } = parseFlagPath(path);
  const plan = planOf(options);
  const { rollout } = await context.admin().rollouts.startRollout({ project, flag, plan });
  if (options.json) terminal.print(formatJson(rollout));
  else if (rollout !== undefined)
    terminal.print(rolloutText(rollout, { terminal, wallMs: terminal.wallMs() }));
  return exitCode.done;
}

/** @throws HeadwaterError `invalid` */
function planOf(options: StartOptions): MessageInitShape<typeof RolloutPlanSchema> {
  const { release = "", share, arrival, sites = 0, onBad, goOnAfter = 0, hops = 0 } = options;
  if (onBad !== "nothing" && onBad !== "kill")
    throw new HeadwaterError({
      kind: "invalid",
      message: `--on-bad: ${quoted(onBad)} is not known`,
      hint: "Write nothing or kill.",
    });
  return {
    steps: options.steps.split(",").map((text) => stepOf(text, options.dwell)),
    release,
    releaseBasisPoints: share === undefined ? 0 : percentArgument(share),
    arrivalBasisPoints: arrival === undefined ? 0 : percentArgument(arrival),
    sitesMin: sites,
    killOnBad: onBad === "kill",
    goOnAfterMs: BigInt(goOnAfter),
    hops,
  };
}

/** `5%` or `5%:48h`. */
function stepOf(text: string, dwellMs: number): { basisPoints: number; dwellMs: bigint } {
  const [percent = "", time, ...rest] = text.trim().split(":");
  const basisPoints = parsePercent(percent);
  const lasts = time === undefined ? dwellMs : parseDuration(time);
  if (typeof basisPoints === "number" && typeof lasts === "number" && rest.length === 0)
    return { basisPoints, dwellMs: BigInt(lasts) };
  throw new HeadwaterError({
    kind: "invalid",
    message: `--steps: ${quoted(text)} is no step`,
    hint: "Write a percentage, or one and how long it lasts: 5% or 5%:48h.",
  });
}
