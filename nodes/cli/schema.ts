import type { Command } from "commander";
import { addCommand, answer, type CommandContext } from "./command.ts";
import { exitCode } from "./exit-code.ts";
import { flagFileJsonSchema } from "./file/flag-file-schema.ts";
import { formatJson } from "./output.ts";

export function addSchemaCommand(parent: Command, context: CommandContext): void {
  addCommand(parent, {
    name: "schema",
    summary: "print the JSON Schema of flag files, for editors",
    details:
      "Name it in a file's first line, and an editor completes and checks the file:\n" +
      "# yaml-language-server: $schema=./flag-file.schema.json",
    examples: ["headwater schema > flag-file.schema.json"],
  }).action(
    answer(context, async () => {
      context.terminal.print(formatJson(flagFileJsonSchema()));
      return exitCode.done;
    }),
  );
}
