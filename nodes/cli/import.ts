import { readFileSync } from "node:fs";
import { type Command, Option } from "commander";
import { HeadwaterError } from "../error.ts";
import { addCommand, answer, type CommandContext, type CommonOptions } from "./command.ts";
import { exitCode } from "./exit-code.ts";
import { flagdImport, flagSetOf } from "./file/flagd-import.ts";
import { parseProject } from "./flag/flag-path.ts";
import { formatJson } from "./output.ts";

interface ImportOptions extends CommonOptions {
  readonly project?: string;
}

export function addImportCommand(parent: Command, context: CommandContext): void {
  addCommand(parent, {
    name: "import",
    summary: "make a flag file from the flags of another system",
    details:
      "To stdout, for `headwater apply`; no node is asked. Switches between true and false are " +
      "carried over, with a share that `fractional` gives and lists of versions. What can not be " +
      "carried over is listed on stderr with its JSON path, and the exit code is 1.",
    examples: [
      "headwater import --from flagd --project horizon flags.json > horizon.json",
      "headwater apply -f horizon.json",
    ],
  })
    .argument("<FILE>", "definitions of flagd, JSON; - is stdin")
    .addOption(
      new Option("--from <SYSTEM>", "whose they are").choices(["flagd"]).makeOptionMandatory(),
    )
    .option("--project <PROJECT>", "what they are to be the flags of; else the file's flagSetId")
    .action(
      answer(context, async (path: string, options: ImportOptions) => {
        const definitions = await readJson(path, context);
        const project = parseProject(options.project ?? flagSetOf(definitions));
        const { file, lost } = flagdImport(project, definitions);
        context.terminal.print(formatJson(options.json ? { file, lost } : file));
        for (const line of lost) context.terminal.note(`not carried over: ${line}`);
        return lost.length === 0 ? exitCode.done : exitCode.no;
      }),
    );
}

/** @throws HeadwaterError `invalid` for what can not be read, or is no JSON */
async function readJson(path: string, { terminal }: CommandContext): Promise<unknown> {
  try {
    const text = path === "-" ? await terminal.readInput() : readFileSync(path, "utf8");
    // Editors on Windows put a mark before it.
    return JSON.parse(text.replace(/^\ufeff/, ""));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new HeadwaterError({
      kind: "invalid",
      message: `cannot read ${path}: ${why}`,
      hint: "Give the path of a JSON file, or - for stdin.",
      cause,
    });
  }
}
