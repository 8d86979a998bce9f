import { stripVTControlCharacters } from "node:util";
import type { Command } from "commander";

/** Every command as Markdown: a list of all, then what `--help` says of each. */
export function commandPage(program: Command): string {
  const leaves = leavesOf(program, program.name());
  const rows = leaves.map(({ line, command }) => {
    const link = `#${line.replaceAll(" ", "-")}`;
    return `| [\`${line}\`](${link}) | ${command.summary()} |`;
  });
  const sections = leaves.map(({ line, command }) => {
    return `## ${line}\n\n\`\`\`text\n${helpOf(command)}\n\`\`\``;
  });
  return [
    "# Commands",
    "<!-- Written by commandPage(); a test compares it, `npx vitest run test/docs --update` writes it. -->",
    "Exit codes: 0 done, 1 the answer is no, 2 wrong usage, 3 the node can not be reached or " +
      "refused,\n4 it can not be known yet. Errors go to stderr and say what to do next.",
    ["| command | does |", "|---|---|", ...rows].join("\n"),
    ...sections,
    "",
  ].join("\n\n");
}

interface Leaf {
  readonly line: string;
  readonly command: Command;
}

function leavesOf(command: Command, line: string): Leaf[] {
  const inner = command.createHelp().visibleCommands(command);
  if (inner.length === 0) return [{ line, command }];
  const named = inner.filter((one) => one.name() !== "help");
  return named.flatMap((one) => leavesOf(one, `${line} ${one.name()}`));
}

/** What it prints with `--help`, examples included. */
function helpOf(command: Command): string {
  let text = "";
  command.configureOutput({
    writeOut: (more) => {
      text += more;
    },
    getOutHelpWidth: () => pageColumnsCount,
    getOutHasColors: () => false,
  });
  command.outputHelp();
  return stripVTControlCharacters(text).trimEnd();
}

const pageColumnsCount = 90;
