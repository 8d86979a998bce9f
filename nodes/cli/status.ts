import type { Command } from "commander";
import type {
  ChildStatus,
  GetStatusResponse,
  LedgerStatus,
  ProjectStatus,
  UpstreamStatus,
} from "../../gen/headwater/v1/nodes_pb.ts";
import { formatDuration } from "../../relay/duration.ts";
import { formatFingerprint } from "../config/fingerprint.ts";
import { levelWords } from "../config/panel-tier.ts";
import { addCommand, answer, type CommandContext, type CommonOptions } from "./command.ts";
import { positionText } from "./commit/ledger-view.ts";
import { exitCode } from "./exit-code.ts";
import { formatJson, formatTable } from "./output.ts";
import type { Terminal } from "./terminal.ts";

export function addStatusCommand(parent: Command, context: CommandContext): void {
  addCommand(parent, {
    name: "status",
    summary: "show this node: upstreams, freshness, positions, children, disclosure",
    examples: [
      "headwater status",
      "HEADWATER_ADMIN_URL=https://admin.example.org:7702 headwater status",
    ],
  }).action(
    answer(context, async (options: CommonOptions) => {
      const { terminal } = context;
      const status = await context.admin().nodes.getStatus({});
      terminal.print(options.json ? formatJson(status) : statusText(status, terminal));
      return exitCode.done;
    }),
  );
}

function statusText(status: GetStatusResponse, terminal: Terminal): string {
  const sections = [
    {
      title: "projects",
      head: projectHead,
      rows: status.projects.map((one) => projectRow(one, terminal)),
    },
    { title: "layers", head: layerHead, rows: layerRows(status, terminal) },
    {
      title: "upstreams",
      head: upstreamHead,
      rows: status.upstreams.map((one) => upstreamRow(one, terminal)),
    },
    { title: "children", head: childHead, rows: status.children.map(childRow) },
    { title: "disclosure", head: disclosureHead, rows: disclosureRows(status) },
  ];
  const tables = sections.flatMap(({ title, head, rows }) => {
    const heading = terminal.paint("bold", title);
    return rows.length === 0
      ? [`${heading}  none`]
      : [`${heading}\n${formatTable({ head, rows, terminal })}`];
  });
  return [
    nodeText(status, terminal),
    ...tables,
    fanoutText(status, terminal),
    problemsText(status, terminal),
  ].join("\n\n");
}

function nodeText(status: GetStatusResponse, terminal: Terminal): string {
  const up = formatDuration(terminal.wallMs() - Number(status.startedMs));
  const name = terminal.paint("bold", status.node);
  return `${name} of site ${status.site}, ${status.software}, up ${up}`;
}

const projectHead = ["project", "freshness", "flags", "instances"];

function projectRow(one: ProjectStatus, terminal: Terminal): string[] {
  const { project, freshness, flagsCount, instancesCount } = one;
  return [project, freshnessText(freshness, terminal), String(flagsCount), String(instancesCount)];
}

const layerHead = [
  "project",
  "layer",
  "authority",
  "position",
  "entries",
  "freshness",
  "beat",
  "from",
];

function layerRows({ projects }: GetStatusResponse, terminal: Terminal): string[][] {
  // The project's own ledger is the first.
  return projects.flatMap(({ layers }) =>
    layers.map((layer, at) => layerRow(layer, at === 0 ? "project" : "overlay", terminal)),
  );
}

function layerRow(layer: LedgerStatus, kind: string, terminal: Terminal): string[] {
  const beatMs = Number(layer.beatIssuedMs);
  const misunderstoodCount = layer.misunderstood.length;
  const misunderstood = misunderstoodCount === 0 ? "" : `, ${misunderstoodCount} not understood`;
  const ungrantedCount = layer.ungranted.length;
  const ungranted = ungrantedCount === 0 ? "" : `, ${ungrantedCount} without a grant`;
  return [
    layer.ledger?.project ?? "",
    kind,
    formatFingerprint(layer.ledger?.authority ?? new Uint8Array(0)),
    positionText(layer.position),
    `${layer.entriesCount}${misunderstood}${ungranted}`,
    freshnessText(layer.freshness, terminal),
    beatMs === 0 ? "none" : `${formatDuration(Math.max(0, terminal.wallMs() - beatMs))} ago`,
    originText(layer),
  ];
}

function originText({ writable, signedElsewhere, primary }: LedgerStatus): string {
  if (signedElsewhere) return "signed elsewhere";
  return writable ? "written here" : primary;
}

const upstreamHead = ["upstream", "address", "state", "silent", "problem"];

function upstreamRow(upstream: UpstreamStatus, terminal: Terminal): string[] {
  const { address, state, site, node, problem } = upstream;
  const retryInMs = Number(upstream.retryInMs);
  const colored = terminal.paint(state === "CONNECTED" ? "green" : "yellow", state);
  return [
    node === "" ? site : `${site}/${node}`,
    address,
    retryInMs === 0 ? colored : `${colored}, again in ${formatDuration(retryInMs)}`,
    state === "CONNECTED" ? formatDuration(Number(upstream.silentMs)) : "",
    problem,
  ];
}

const childHead = ["child", "connected", "positions"];

function childRow({ site, node, connected, positions }: ChildStatus): string[] {
  const held = positions.map(
    ({ ledger, position, newest }) =>
      `${ledger?.project ?? ""} ${positionText(position)}${newest ? "" : " (behind)"}`,
  );
  return [`${site}/${node}`, connected ? "yes" : "no", held.join(", ")];
}

const disclosureHead = ["upstream", "level", "from"];

function disclosureRows({ disclosures }: GetStatusResponse): string[][] {
  return disclosures.map(({ upstream, level, source }) => [upstream, levelWords(level), source]);
}

function fanoutText({ fanout }: GetStatusResponse, terminal: Terminal): string {
  const heading = terminal.paint("bold", "fan-out");
  if (fanout === undefined || fanout.kind === "LOCAL") return `${heading}  this node only`;
  const state = fanout.connected
    ? terminal.paint("green", "connected")
    : terminal.paint("yellow", "not connected");
  const peers = fanout.peers.length === 0 ? "no peers" : `peers: ${fanout.peers.join(", ")}`;
  const problem = fanout.problem === "" ? "" : `; ${fanout.problem}`;
  return `${heading}  ${fanout.kind}, ${state}, ${peers}${problem}`;
}

function problemsText({ problems }: GetStatusResponse, terminal: Terminal): string {
  const heading = terminal.paint("bold", "problems");
  if (problems.length === 0) return `${heading}  none`;
  return [heading, ...problems.map((problem) => terminal.paint("red", `  ${problem}`))].join("\n");
}

function freshnessText(freshness: string, terminal: Terminal): string {
  return terminal.paint(freshness === "FRESH" ? "green" : "yellow", freshness);
}
