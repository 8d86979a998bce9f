import type { Command } from "commander";
import { addCommand, answer, type CommandContext, type CommonOptions } from "../command.ts";
import { exitCode } from "../exit-code.ts";
import { parseProject } from "../flag/flag-path.ts";
import { formatJson } from "../output.ts";

interface EnrollOptions extends CommonOptions {
  readonly apps: boolean;
}

export function addCensusEnrollCommands(parent: Command, context: CommandContext): void {
  addCommand(parent, {
    name: "enroll",
    summary: "take part in a project's censuses, here",
    details:
      "From now on this site says upstream, of each question of the project, whether anyone here " +
      "used it: used, unknown or unused, joined with what enrolled children say. Each hop decides " +
      "for itself; what is said at one node of a site holds for all of them. Answers travel in the " +
      "documents, so disclosure may not be off.",
    examples: ["headwater census enroll horizon", "headwater census enroll horizon --no-apps"],
  })
    .argument("<PROJECT>", "the project")
    .option("--no-apps", "no app uses this site: only its children are counted")
    .action(
      answer(context, async (text: string, options: EnrollOptions) =>
        setEnrollment(context, { text, enrolled: true, withoutApps: !options.apps, options }),
      ),
    );
  addCommand(parent, {
    name: "leave",
    summary: "take part in a project's censuses no more",
    details: "What this site has seen for them is forgotten.",
    examples: ["headwater census leave horizon"],
  })
    .argument("<PROJECT>", "the project")
    .action(
      answer(context, async (text: string, options: CommonOptions) =>
        setEnrollment(context, { text, enrolled: false, withoutApps: false, options }),
      ),
    );
}

async function setEnrollment(
  context: CommandContext,
  of: { text: string; enrolled: boolean; withoutApps: boolean; options: CommonOptions },
): Promise<typeof exitCode.done> {
  const { enrolled, withoutApps, options } = of;
  const { terminal } = context;
  const project = parseProject(of.text);
  const asked = { project, enrolled, withoutApps };
  const { cautions } = await context.admin().censuses.setEnrollment(asked);
  if (options.json) terminal.print(formatJson({ ...asked, cautions }));
  else {
    terminal.print(`this site ${enrolled ? "takes" : "takes no"} part in censuses of ${project}`);
    for (const caution of cautions) terminal.print(caution);
  }
  return exitCode.done;
}
