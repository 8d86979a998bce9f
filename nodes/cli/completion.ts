import { Argument, type Command } from "commander";
import { candidatesOf, type Names } from "./candidates.ts";
import { addCommand, answer, type CommandContext } from "./command.ts";
import { flagsOf, readLedger } from "./commit/ledger-view.ts";
import { completionScript, type Shell, shells } from "./completion-script.ts";
import { exitCode } from "./exit-code.ts";

export function addCompletionCommands(program: Command, context: CommandContext): void {
  addCommand(program, {
    name: "completion",
    summary: "print what makes a shell complete these commands",
    details:
      "Commands, options, and the names of projects and flags that the node has. For good: bash, " +
      "into ~/.bashrc; zsh, into ~/.zshrc after compinit; fish, into " +
      "~/.config/fish/completions/headwater.fish.",
    examples: [
      "source <(headwater completion bash)",
      "headwater completion fish > ~/.config/fish/completions/headwater.fish",
    ],
  })
    .addArgument(new Argument("<SHELL>", "the shell").choices(shells))
    .action(
      answer(context, async (shell: Shell) => {
        context.terminal.print(completionScript(shell));
        return exitCode.done;
      }),
    );
  program
    .command("complete", { hidden: true })
    .argument("[WORDS...]")
    .allowUnknownOption()
    .action(
      answer(context, async (words: string[]) => {
        const lines = await candidatesOf({ program, words, names: namesAt(context) });
        if (lines.length > 0) context.terminal.print(lines.join("\n"));
        return exitCode.done;
      }),
    );
}

/** Names that only the node knows. Whoever presses a key wants no error: without a node, none. */
function namesAt(context: CommandContext): Names {
  const orNone = async (names: () => Promise<string[]>): Promise<string[]> => {
    try {
      return await names();
    } catch {
      return [];
    }
  };
  const projects = (): Promise<string[]> =>
    orNone(async () => {
      const status = await context.admin().nodes.getStatus({}, { timeoutMs: patienceMs });
      return status.projects.map(({ project }) => project);
    });
  return {
    projects,
    flags: async () => {
      const lists = await Promise.all(
        (await projects()).map((project) =>
          orNone(async () => [...flagsOf(await readLedger(context.admin(), project)).keys()]).then(
            (flags) => flags.map((flag) => `${project}/${flag}`),
          ),
        ),
      );
      return lists.flat();
    },
  };
}

/** A key was pressed: a node that is slower than this has no names. */
const patienceMs = 1_500;
