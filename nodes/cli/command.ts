import type { Command } from "commander";
import type { AdminClient } from "./admin-client.ts";
import type { ExitCode } from "./exit-code.ts";
import type { Terminal } from "./terminal.ts";

/** What every command is given. */
export interface CommandContext {
  readonly terminal: Terminal;
  /** Opened by the first that asks for it, so that commands without a node need no settings. */
  admin(): AdminClient;
  /** Says what the process is to end with. */
  finish(code: ExitCode): void;
}

/** An option that every command has. */
export interface CommonOptions {
  readonly json?: boolean;
}

/** What a command's `--help` says, beside its arguments and options. */
export interface CommandText {
  readonly name: string;
  /** One line, for the list of commands. */
  readonly summary: string;
  /** What the summary leaves out. */
  readonly details?: string;
  /** Command lines without the prompt. */
  readonly examples: readonly string[];
}

/** Adds a command with what all have: an example in its help, and `--json`. */
export function addCommand(parent: Command, of: CommandText): Command {
  return parent
    .command(of.name)
    .summary(of.summary)
    .description(
      of.details === undefined ? sentence(of.summary) : `${sentence(of.summary)}\n\n${of.details}`,
    )
    .option("--json", "answer for machines")
    .addHelpText("after", examplesText(of.examples));
}

/** Adds a word that only holds commands, such as `flag`. */
export function addCommandGroup(parent: Command, of: Omit<CommandText, "details">): Command {
  return parent
    .command(of.name)
    .summary(of.summary)
    .description(sentence(of.summary))
    .addHelpText("after", examplesText(of.examples));
}

function examplesText(examples: readonly string[]): string {
  const title = examples.length === 1 ? "Example:" : "Examples:";
  return `\n${title}\n${examples.map((line) => `  $ ${line}`).join("\n")}`;
}

/** Turns what answers with an exit code into what commander calls. */
export function answer<Given extends unknown[]>(
  context: CommandContext,
  handler: (...given: Given) => Promise<ExitCode>,
): (...given: Given) => Promise<void> {
  return async (...given) => {
    context.finish(await handler(...given));
  };
}

function sentence(summary: string): string {
  return `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`;
}
