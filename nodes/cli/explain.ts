import type { Command } from "commander";
import type { ExplainResponse } from "../../gen/headwater/v1/nodes_pb.ts";
import { BASIS_POINTS_MAX } from "../../relay/flag/bucket.ts";
import { formatPercent } from "../../relay/flag/percent.ts";
import { formatFingerprint } from "../config/fingerprint.ts";
import { HeadwaterError } from "../error.ts";
import { addCommand, answer, type CommandContext, type CommonOptions } from "./command.ts";
import { positionText } from "./commit/ledger-view.ts";
import { type ExitCode, exitCode } from "./exit-code.ts";
import { parseFlagPath } from "./flag/flag-path.ts";
import { formatJson, formatTable } from "./output.ts";
import type { Terminal } from "./terminal.ts";

interface ExplainOptions extends CommonOptions {
  readonly instance?: string;
  readonly version?: string;
}

export function addExplainCommand(parent: Command, context: CommandContext): void {
  addCommand(parent, {
    name: "explain",
    summary: "say what a flag is, and why",
    details:
      "Shows each layer's part in it. With an instance and its version: whether that instance is " +
      "on or off, and why. Exits 4 while nothing verified is held of the project.",
    examples: [
      "headwater explain horizon/new-scheduler",
      "headwater explain horizon/new-scheduler --instance web-1 --version 2.3.0",
    ],
  })
    .argument("<PROJECT/FLAG>", "the flag")
    .option("--instance <ID>", "one running copy; needs --version")
    .option("--version <VERSION>", "the version that it runs; needs --instance")
    .action(
      answer(context, async (text: string, options: ExplainOptions) =>
        explain(context, text, options),
      ),
    );
}

async function explain(
  context: CommandContext,
  text: string,
  options: ExplainOptions,
): Promise<ExitCode> {
  const { instance, version, json } = options;
  if ((instance === undefined) !== (version === undefined))
    throw new HeadwaterError({
      kind: "invalid",
      message: `--${instance === undefined ? "version" : "instance"} is not enough`,
      hint: "Give both --instance and --version, or neither.",
    });
  const { project, flag } = parseFlagPath(text);
  const request = { project, flag, instance: instance ?? "", version: version ?? "" };
  const explained = await context.admin().nodes.explain(request);
  const { terminal } = context;
  if (json) terminal.print(formatJson({ project, flag, ...explained }));
  else terminal.print(explanationText(explained, { ...request, terminal }));
  return explained.freshness === "EMPTY" ? exitCode.unknown : exitCode.done;
}

function explanationText(
  explained: ExplainResponse,
  of: { project: string; flag: string; instance: string; version: string; terminal: Terminal },
): string {
  const { terminal } = of;
  const rows = explained.parts.map(
    ({ own, authority, position, says, note, writable, primary }) => [
      own ? "project" : "overlay",
      writable ? "written here" : primary,
      formatFingerprint(authority),
      positionText(position),
      says,
      note,
    ],
  );
  const head = ["layer", "from", "authority", "position", "says", "note"];
  const title = terminal.paint("bold", `${of.project}/${of.flag}`);
  const lines = [`${title}, ${explained.freshness}`];
  if (rows.length > 0) lines.push("", formatTable({ head, rows, terminal }), "");
  lines.push(outcomeText(explained, of));
  return lines.join("\n");
}

function outcomeText(
  { effective, decision, bucket, release }: ExplainResponse,
  of: { instance: string; version: string; terminal: Terminal },
): string {
  const percent = effective === undefined ? "" : `, ${formatPercent(effective.basisPoints ?? 0)}`;
  if (decision === undefined)
    return `a build of no published release: ${effective?.reason ?? "nothing is known"}${percent}`;
  const build = release === "" ? "no published release" : `release ${release}`;
  const answered = decision.enabled
    ? of.terminal.paint("green", "on")
    : of.terminal.paint("red", "off");
  const place = bucket === undefined ? "" : `; its bucket is ${bucket} of ${BASIS_POINTS_MAX}`;
  const who = `${of.instance} with ${of.version} (${build})`;
  return `${who}: ${answered}, ${decision.reason}${percent}${place}`;
}
