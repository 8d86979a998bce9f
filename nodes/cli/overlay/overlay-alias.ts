import type { Command } from "commander";
import { isName } from "../../../relay/flag/name.ts";
import { quoted } from "../../../relay/quoted.ts";
import { HeadwaterError } from "../../error.ts";
import { addCommand, answer, type CommandContext, type CommonOptions } from "../command.ts";
import { aliasEntry } from "../commit/ledger-entry.ts";
import { aliasesOf, readLedger } from "../commit/ledger-view.ts";
import { planChanges } from "../commit/plan.ts";
import type { ExitCode } from "../exit-code.ts";
import { buildNameMend, isBuildName } from "../file/build-name.ts";
import { makeChanges } from "../flag/flag-edit.ts";
import { overlayTitle, readOwnOverlay } from "./overlay-ledger.ts";

export function addOverlayAliasCommand(parent: Command, context: CommandContext): void {
  addCommand(parent, {
    name: "alias",
    summary: "say which release of the project a build of yours is",
    details:
      "A build that the project has not published is outside every range of a flag and inside every " +
      "ranged kill. With an alias it is taken for the release. The root of the project has to grant " +
      "it: `headwater keys grant --overlay … --aliases`. `overlay clear --alias` takes it back.",
    examples: ["headwater overlay alias horizon/2.3.0-4.el9 2.3.0"],
  })
    .argument("<PROJECT/BUILD>", "the version that apps of that build give")
    .argument("<RELEASE>", "the release that it is built from")
    .action(
      answer(context, async (path: string, release: string, options: CommonOptions) =>
        alias(context, { path, release, options }),
      ),
    );
}

async function alias(
  context: CommandContext,
  of: { path: string; release: string; options: CommonOptions },
): Promise<ExitCode> {
  const { path, release, options } = of;
  const { project, build } = parseBuildPath(path);
  const view = await readOwnOverlay(context.admin(), project);
  await assertOfUse(context, { project, build, release });
  const wanted = [aliasEntry({ name: build, release })];
  const changes = planChanges({ held: view.entries, wanted, pruned: new Set() });
  return makeChanges(context, { view, changes, json: options.json, title: overlayTitle(view) });
}

/** @throws HeadwaterError `invalid` */
export function parseBuildPath(text: string): { project: string; build: string } {
  const slash = text.indexOf("/");
  const project = text.slice(0, Math.max(0, slash));
  const build = text.slice(slash + 1);
  if (isName(project) && isBuildName(build)) return { project, build };
  throw new HeadwaterError({
    kind: "invalid",
    message: `${quoted(text)} names no build of a project`,
    hint: `Write PROJECT/BUILD, such as horizon/2.3.0-4.el9; as build ${buildNameMend}.`,
  });
}

/** The project's own word goes first, and only what it has published can be stood for. */
async function assertOfUse(
  context: CommandContext,
  of: { project: string; build: string; release: string },
): Promise<void> {
  const { project, build, release } = of;
  const own = await readLedger(context.admin(), project);
  const said = own.entries.has(`release/${build}`) ? build : aliasesOf(own).get(build);
  if (said !== undefined && said !== release)
    throw new HeadwaterError({
      kind: "conflict",
      message: `${project} itself says that ${build} is ${said}, which goes first`,
      hint: "Ask the project, or give your build a version of its own.",
    });
  if (own.entries.has(`release/${release}`)) return;
  throw new HeadwaterError({
    kind: "unknown",
    message: `${release} is no release of ${project}`,
    hint: `\`headwater explain\` and a flag file's \`releases\` show what it has published.`,
  });
}
