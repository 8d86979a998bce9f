import type { Command } from "commander";
import type { GetFleetResponse } from "../../gen/headwater/v1/fleet_pb.ts";
import type { Health, Weight } from "../../gen/headwater/v1/telemetry_pb.ts";
import { BASIS_POINTS_MAX } from "../../relay/flag/bucket.ts";
import { formatPercent } from "../../relay/flag/percent.ts";
import { addCommand, answer, type CommandContext, type CommonOptions } from "./command.ts";
import { type ExitCode, exitCode } from "./exit-code.ts";
import { parseProject } from "./flag/flag-path.ts";
import { formatCount, formatJson, formatTable } from "./output.ts";
import type { Color, Terminal } from "./terminal.ts";

export function addFleetCommand(parent: Command, context: CommandContext): void {
  addCommand(parent, {
    name: "fleet",
    summary: "show what telemetry says of a project",
    details:
      "Releases, health and flags as shares of reporting sites: each site counts once, however " +
      "large. Exits 4 while nobody has reported.",
    examples: ["headwater fleet horizon"],
  })
    .argument("<PROJECT>", "the project")
    .action(
      answer(context, async (text: string, options: CommonOptions) => {
        const fleet = await context.admin().fleet.getFleet({ project: parseProject(text) });
        const { terminal } = context;
        terminal.print(options.json ? formatJson(fleet) : fleetText(fleet, terminal));
        return endOf(fleet);
      }),
    );
}

function endOf({ reportersCount }: GetFleetResponse): ExitCode {
  return reportersCount === 0 ? exitCode.unknown : exitCode.done;
}

function fleetText(fleet: GetFleetResponse, terminal: Terminal): string {
  const { weights, health } = fleet;
  if (fleet.reportersCount === 0) return `${fleet.project}: nobody has reported yet`;
  const sections = [
    weightsText({ title: "releases", weights: weights?.releases, color: "cyan", terminal }),
    weightsText({
      title: "degraded, by release",
      weights: weights?.degraded,
      color: "yellow",
      terminal,
    }),
    weightsText({ title: "failed, by release", weights: weights?.failed, color: "red", terminal }),
    weightsText({ title: "flags on", weights: weights?.flags, color: "green", terminal }),
    weightsText({ title: "crashes", weights: weights?.crashes, color: "red", terminal }),
    unknownText(fleet, terminal),
    crashesText(fleet, terminal),
    ...healthTexts(health, terminal),
  ];
  return [headline(fleet, terminal), ...sections.filter((section) => section !== "")].join("\n\n");
}

function headline(fleet: GetFleetResponse, terminal: Terminal): string {
  const { project, reportersCount, own, windowsOldMax, instancesCount, releasesOnlyCount } = fleet;
  const included = own ? ", own apps among them" : "";
  const age =
    windowsOldMax === 0
      ? ""
      : `; the oldest document is ${formatCount(windowsOldMax, "window")} old`;
  const coarse =
    releasesOnlyCount === 0
      ? ""
      : `; of ${releasesOnlyCount} of them only the most common release is known`;
  const here = `; ${formatCount(instancesCount, "instance")} here`;
  const reporters = `${formatCount(reportersCount, "site")}${included}${age}${coarse}${here}`;
  return `${terminal.paint("bold", project)}  share of reporting sites (${reporters})`;
}

function unknownText({ weights }: GetFleetResponse, terminal: Terminal): string {
  if (weights?.releasesOnly !== 1) return "";
  const what = "which flags are on, and how many are degraded, have failed or crashed";
  const why = "whoever runs it says only its most common release";
  return `${terminal.paint("bold", "not known")}  ${what}: ${why}`;
}

/** Listed or not: whoever reports a crash to the project has its name from here. */
function crashesText({ crashes }: GetFleetResponse, terminal: Terminal): string {
  if (crashes.length === 0) return "";
  const rows = crashes.map(({ signature, instancesCount, listed }) => [
    `  ${signature}`,
    formatCount(instancesCount, "instance"),
    listed ? "listed" : "stays here: the project does not list it",
  ]);
  const title = terminal.paint("bold", "crashes here, in seven days");
  return `${title}\n${formatTable({ head: [], rows, terminal })}`;
}

/** Cells of a bar at 100 %. */
const barWidthMax = 40;

function weightsText(of: {
  title: string;
  weights: readonly Weight[] | undefined;
  color: Color;
  terminal: Terminal;
}): string {
  const shown = (of.weights ?? []).filter(({ basisPoints = 0 }) => basisPoints > 0);
  if (shown.length === 0) return "";
  const { terminal, color } = of;
  const nameWidth = Math.max(...shown.map(({ name }) => name.length));
  // Two cells of margin, two between columns, and ten for the number.
  const barWidth = Math.max(1, Math.min(barWidthMax, terminal.columnsCount - nameWidth - 14));
  const rows = shown.map(({ name, basisPoints = 0 }) => [
    `  ${name}`,
    terminal.paint(color, bar(basisPoints, barWidth).padEnd(barWidth)),
    formatPercent(basisPoints),
  ]);
  return `${terminal.paint("bold", of.title)}\n${formatTable({ head: [], rows, terminal })}`;
}

const eighths = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/** In steps of an eighth of a cell; what is there at all is seen. */
function bar(basisPoints: number, width: number): string {
  const steps = Math.max(1, Math.round((basisPoints / BASIS_POINTS_MAX) * width * 8));
  return "█".repeat(Math.floor(steps / 8)) + (eighths[steps % 8] ?? "");
}

/** By the numbers on the wire. */
const judgements = ["insufficient", "ok", "degraded", "bad"];

const judgementColors: readonly Color[] = ["dim", "green", "yellow", "red"];

function verdictsText(of: {
  title: string;
  verdicts: readonly { name: string; judgement: number }[];
  terminal: Terminal;
}): string {
  const { terminal } = of;
  if (of.verdicts.length === 0) return "";
  const rows = of.verdicts.map(({ name, judgement }) => [
    `  ${name}`,
    terminal.paint(judgementColors[judgement] ?? "dim", judgements[judgement] ?? "not understood"),
  ]);
  return `${terminal.paint("bold", of.title)}\n${formatTable({ head: [], rows, terminal })}`;
}

function healthTexts(health: Health | undefined, terminal: Terminal): string[] {
  if (health === undefined) return [];
  const texts = [
    verdictsText({
      title: "verdicts on releases, each against the one before",
      verdicts: health.releases.map(({ release, judgement = 0 }) => ({ name: release, judgement })),
      terminal,
    }),
    verdictsText({
      title: "verdicts on flags, on against off",
      verdicts: health.flags.map(({ flag, judgement = 0 }) => ({ name: flag, judgement })),
      terminal,
    }),
  ].filter((text) => text !== "");
  const { term = 0, seq = 0, basisPoints = 0 } = health.arrival ?? {};
  const share = `${term}.${seq} is held by ${formatPercent(basisPoints)} of sites`;
  if (health.arrival !== undefined) texts.push(`${terminal.paint("bold", "arrival")}  ${share}`);
  return texts;
}
