import type { Command } from "commander";
import type { ListCensusesResponse } from "../../../gen/headwater/v1/censuses_pb.ts";
import { addCommand, answer, type CommandContext, type CommonOptions } from "../command.ts";
import { exitCode } from "../exit-code.ts";
import { parseProject } from "../flag/flag-path.ts";
import { formatJson, formatTable } from "../output.ts";
import type { Color, Terminal } from "../terminal.ts";
import { formatTime } from "../time-text.ts";

export function addCensusShowCommand(parent: Command, context: CommandContext): void {
  addCommand(parent, {
    name: "show",
    summary: "show what is asked, and what came of it",
    details: "Of the last window that is over. With --json of those before it, too.",
    examples: ["headwater census show horizon"],
  })
    .argument("<PROJECT>", "the project")
    .action(
      answer(context, async (text: string, options: CommonOptions) => {
        const { terminal } = context;
        const listed = await context.admin().censuses.listCensuses({ project: parseProject(text) });
        terminal.print(options.json ? formatJson(listed) : showText(listed, terminal));
        return exitCode.done;
      }),
    );
}

export function addCensusAnswerCommand(parent: Command, context: CommandContext): void {
  addCommand(parent, {
    name: "answer",
    summary: "show what this site answers for itself",
    details: "What is said of its own apps, and how it is joined with its children's answers.",
    examples: ["headwater census answer horizon"],
  })
    .argument("<PROJECT>", "the project")
    .action(
      answer(context, async (text: string, options: CommonOptions) => {
        const { terminal } = context;
        const listed = await context.admin().censuses.listCensuses({ project: parseProject(text) });
        terminal.print(options.json ? formatJson(listed) : answerText(listed, terminal));
        return exitCode.done;
      }),
    );
}

const colors: Readonly<Record<string, Color>> = { UNUSED: "green", USED: "red", UNKNOWN: "yellow" };

function word(text: string, terminal: Terminal): string {
  return terminal.paint(colors[text] ?? "dim", text.toLowerCase().replace("_", " "));
}

function showText(listed: ListCensusesResponse, terminal: Terminal): string {
  if (listed.censuses.length === 0) return "nothing is asked";
  const rows = listed.censuses.map((census) => {
    const [result] = census.results;
    const until = result === undefined ? "" : formatTime(Number(result.endMs));
    const why = census.problem || (result?.reason ?? "no window of it is over yet");
    return [
      census.key,
      census.state.toLowerCase().replace("_", " "),
      word(result?.answer ?? "UNKNOWN", terminal),
      until,
      why,
    ];
  });
  return formatTable({ head: ["asked", "state", "answer", "window until", "why"], rows, terminal });
}

function answerText(listed: ListCensusesResponse, terminal: Terminal): string {
  if (!listed.enrolled) return "this site takes no part: headwater census enroll";
  if (listed.censuses.length === 0) return "nothing is asked";
  const rows = listed.censuses.map((census) => {
    const [result] = census.results;
    const own = result?.own || (listed.withoutApps ? "none" : "UNKNOWN");
    return [census.key, word(own, terminal), word(result?.answer ?? "UNKNOWN", terminal)];
  });
  return formatTable({ head: ["asked", "own apps", "with children"], rows, terminal });
}
