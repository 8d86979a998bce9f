import type { Command } from "commander";
import { addCommand, answer, type CommandContext, type CommonOptions } from "../command.ts";
import { exitCode } from "../exit-code.ts";
import { parseFlagPath } from "../flag/flag-path.ts";
import { formatJson } from "../output.ts";
import { rolloutText } from "./rollout-words.ts";

const commands = [
  {
    name: "pause",
    summary: "let a rollout stay where it is",
    details: "The percentage stays as it is, and stays the rollout's own.",
  },
  {
    name: "resume",
    summary: "let a rollout go on that was paused, or has halted",
    details: "The present step begins anew: it lasts as long as the plan says from now on.",
  },
  {
    name: "abort",
    summary: "end a rollout",
    details: "The percentage stays as it is, and can be set by hand again.",
  },
] as const;

export function addRolloutChangeCommands(parent: Command, context: CommandContext): void {
  for (const command of commands) {
    addCommand(parent, {
      ...command,
      examples: [`headwater rollout ${command.name} horizon/new-scheduler`],
    })
      .argument("<PROJECT/FLAG>", "the flag")
      .action(
        answer(context, async (path: string, options: CommonOptions) => {
          const { terminal } = context;
          const { project, flag } = parseFlagPath(path);
          const action = command.name.toUpperCase();
          const admin = context.admin();
          const { rollout } = await admin.rollouts.changeRollout({ project, flag, action });
          if (options.json) terminal.print(formatJson(rollout));
          else if (rollout !== undefined)
            terminal.print(rolloutText(rollout, { terminal, wallMs: terminal.wallMs() }));
          return exitCode.done;
        }),
      );
  }
}
