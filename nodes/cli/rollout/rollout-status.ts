import type { Command } from "commander";
import type { Rollout, RolloutDecision } from "../../../gen/headwater/v1/rollouts_pb.ts";
import { HeadwaterError } from "../../error.ts";
import { addCommand, answer, type CommandContext, type CommonOptions } from "../command.ts";
import { type ExitCode, exitCode } from "../exit-code.ts";
import { parseFlagPath, parseProject } from "../flag/flag-path.ts";
import { formatJson, formatTable } from "../output.ts";
import type { Terminal } from "../terminal.ts";
import { formatTime } from "../time-text.ts";
import { rolloutText, stateText, stepText } from "./rollout-words.ts";

export function addRolloutStatusCommand(parent: Command, context: CommandContext): void {
  addCommand(parent, {
    name: "status",
    summary: "show rollouts, and what one has decided and why",
    details:
      "Of one flag: its steps, and its decisions, newest first. With --json each decision comes " +
      "with all that it was based on.",
    examples: ["headwater rollout status", "headwater rollout status horizon/new-scheduler"],
  })
    .argument("[PROJECT[/FLAG]]", "a project or one flag; else all")
    .action(
      answer(context, async (text: string | undefined, options: CommonOptions) =>
        text?.includes("/") === true
          ? showOne(context, text, options)
          : showAll(context, text, options),
      ),
    );
}

async function showAll(
  context: CommandContext,
  text: string | undefined,
  options: CommonOptions,
): Promise<ExitCode> {
  const { terminal } = context;
  const project = text === undefined ? "" : parseProject(text);
  const { rollouts } = await context.admin().rollouts.listRollouts({ project });
  terminal.print(options.json ? formatJson({ rollouts }) : listText(rollouts, terminal));
  return exitCode.done;
}

async function showOne(
  context: CommandContext,
  text: string,
  options: CommonOptions,
): Promise<ExitCode> {
  const { terminal } = context;
  const { project, flag } = parseFlagPath(text);
  const admin = context.admin();
  const { rollouts } = await admin.rollouts.listRollouts({ project });
  const rollout = rollouts.find((one) => one.flag === flag);
  if (rollout === undefined)
    throw new HeadwaterError({
      kind: "unknown",
      message: `there is no rollout of ${project}/${flag}`,
      hint: "`headwater rollout start` makes one.",
    });
  const { decisions } = await admin.rollouts.listDecisions({ project, flag, limit: 20 });
  if (options.json) terminal.print(formatJson({ rollout, decisions }));
  else
    terminal.print(
      `${rolloutText(rollout, { terminal, wallMs: terminal.wallMs() })}\n\n${decisionsText(decisions, terminal)}`,
    );
  return exitCode.done;
}

function listText(rollouts: readonly Rollout[], terminal: Terminal): string {
  if (rollouts.length === 0) return "there are no rollouts";
  const rows = rollouts.map((rollout) => [
    `${rollout.project}/${rollout.flag}`,
    stateText(rollout.state, terminal),
    stepText(rollout),
    rollout.reason,
  ]);
  return formatTable({ head: ["flag", "state", "at", "why"], rows, terminal });
}

function decisionsText(decisions: readonly RolloutDecision[], terminal: Terminal): string {
  if (decisions.length === 0) return "nothing was decided yet";
  const rows = decisions.map(({ facts, decision, reason }) => [
    formatTime(Number(facts?.nowMs ?? 0n)),
    decision.toLowerCase(),
    reason,
  ]);
  return formatTable({ head: ["time", "decision", "why"], rows, terminal });
}
