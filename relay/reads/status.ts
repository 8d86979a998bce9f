import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  type ChildStatusSchema,
  type GetStatusResponse,
  GetStatusResponseSchema,
  type LedgerStatusSchema,
  type ProjectStatusSchema,
  type UpstreamStatusSchema,
} from "../../gen/headwater/v1/nodes_pb.ts";
import type { Moment } from "../event.ts";
import type { Project } from "../layers/project.ts";
import { type Freshness, freshnessOf } from "../ledger/freshness.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { ledgerId, samePosition } from "../ledger/position.ts";
import { grantProblem, isSignedElsewhere } from "../ledger/writer.ts";
import { vouchingProblems } from "../libraries.ts";
import type { Downlink } from "../link/downlink.ts";
import type { Uplink } from "../link/uplink.ts";
import { damageProblems, outrunHint, outrunPosition, outrunText } from "../outrun.ts";
import type { NodeParts } from "../parts.ts";
import { noOverlay } from "../reaction.ts";
import { toHex } from "../trust/key.ts";

/** Keys named in a status; the rest is counted in the log. */
const keysShownMax = 20;

const telemetryIsOff = { level: "OFF", source: "telemetry is off" } as const;

/** This node, its links, and what an operator should look at. */
export function statusOf(parts: NodeParts, at: Moment): GetStatusResponse {
  const { settings, holdings, uplinks, downlinks, peers, telemetry } = parts;
  return create(GetStatusResponseSchema, {
    node: settings.name,
    site: settings.site,
    projects: [...holdings.projects.values()].map((project) => projectStatus(parts, project, at)),
    upstreams: uplinks.all.map((uplink) => upstreamStatus(uplink, at)),
    children: downlinks.links.map((link) => childStatus(parts, link)),
    fanout: {
      kind: peers.connected || peers.problem !== "" ? "NATS" : "LOCAL",
      connected: peers.connected,
      problem: peers.problem,
      peers: peers.alive(at.monoMs),
    },
    disclosures: uplinks.all.map(({ settings: { id } }) => {
      const { level, source } = telemetry?.consents.of(id) ?? telemetryIsOff;
      return { upstream: id, level, source };
    }),
    problems: problemsOf(parts, at),
  });
}

function projectStatus(
  parts: NodeParts,
  project: Project,
  at: Moment,
): MessageInitShape<typeof ProjectStatusSchema> {
  return {
    project: project.name,
    freshness: project.freshness(at.wallMs),
    layers: project.ledgers.map((ledger) => ledgerStatus(parts, project, ledger, at)),
    flagsCount: project.own.flags.size,
    instancesCount: parts.telemetry?.intake(project.name).instancesCount ?? 0,
  };
}

function ledgerStatus(
  parts: NodeParts,
  project: Project,
  ledger: Ledger,
  at: Moment,
): MessageInitShape<typeof LedgerStatusSchema> {
  const misunderstood = [...(project.layerOf(ledger)?.misunderstood ?? [])].sort();
  return {
    ledger: { authority: ledger.name.authority, project: ledger.name.project },
    entriesCount: ledger.entries.size,
    writable: parts.holdings.writers.has(ledger.id),
    freshness: freshnessOf(ledger, at.wallMs),
    beatIssuedMs: BigInt(ledger.beat?.issuedMs ?? 0),
    misunderstood: misunderstood.slice(0, keysShownMax),
    ungranted: project.ungranted(ledger, at.wallMs).sort().slice(0, keysShownMax),
    primary: parts.uplinks.primaryOf(ledger.id)?.settings.id ?? "",
    signedElsewhere: isSignedElsewhere(parts.holdings.writers.get(ledger.id)),
    ...(ledger.position && { position: ledger.position }),
  };
}

function upstreamStatus(uplink: Uplink, at: Moment): MessageInitShape<typeof UpstreamStatusSchema> {
  const { state, parent, problem } = uplink;
  const states = { waiting: "WAITING", dialing: "CONNECTING", open: "CONNECTED" } as const;
  const silentMs = state.kind === "open" ? at.monoMs - state.heardAtMonoMs : 0;
  const retryInMs = state.kind === "waiting" ? state.untilMonoMs - at.monoMs : 0;
  return {
    address: uplink.settings.addresses.join(","),
    state: states[state.kind],
    site: parent.site || uplink.settings.id,
    node: parent.node,
    silentMs: BigInt(Math.max(0, Math.round(silentMs))),
    retryInMs: BigInt(Math.max(0, Math.round(retryInMs))),
    problem,
  };
}

function childStatus(parts: NodeParts, link: Downlink): MessageInitShape<typeof ChildStatusSchema> {
  return {
    site: link.site,
    node: link.node,
    connected: true,
    positions: link.positions.map(({ name, position }) => {
      const newest = parts.holdings.ledgers.get(ledgerId(name))?.position;
      return {
        ledger: { authority: name.authority, project: name.project },
        newest: position !== undefined && newest !== undefined && samePosition(position, newest),
        ...(position && { position }),
      };
    }),
  };
}

function problemsOf(parts: NodeParts, at: Moment): string[] {
  const { holdings, uplinks } = parts;
  const problems = damageProblems(holdings);
  if (parts.disk.problem !== "")
    problems.push(`nothing new is kept, changes are refused: ${parts.disk.problem}`);
  for (const { problem, settings } of uplinks.all)
    if (problem !== "") problems.push(`upstream ${settings.id}: ${problem}`);
  for (const [id, writer] of holdings.writers) {
    const ledger = holdings.ledgers.get(id);
    const problem = ledger?.trusted && grantProblem(ledger.trusted, writer, at.wallMs);
    if (problem !== undefined)
      problems.push(`${ledger?.name.project} can not be written here any more: ${problem}`);
    else if (ledger?.head && holdings.served.get(id)?.frames.isGranted === false)
      problems.push(`${ledger.name.project}: ${replacedKeyText}`);
    const outrun = ledger && outrunPosition(holdings, ledger);
    if (ledger !== undefined && outrun !== undefined)
      problems.push(`${outrunText(ledger, outrun)}. ${outrunHint}`);
  }
  if ([...holdings.writers.keys()].some((id) => parts.oldCopy.holdsBack(id, at)))
    problems.push(parts.oldCopy.text(at));
  problems.push(...unservedProblems(parts), ...vouchingProblems(holdings));
  const isToKill = parts.settings.onBad === "KILL";
  const isJudging = isToKill && parts.trials !== undefined;
  if (isToKill && !isJudging)
    problems.push("HEADWATER_ON_BAD: telemetry is off here, so nothing is found to be bad");
  for (const project of holdings.projects.values()) {
    const freshness = project.freshness(at.wallMs);
    if (freshness !== "FRESH")
      problems.push(`${project.name} is ${freshness}: ${servedThen(freshness)}`);
    problems.push(...layerProblems(project, at));
    if (isJudging && holdings.ownOverlayOf(project.name) === undefined)
      problems.push(noOverlay(project.name));
  }
  return problems;
}

const replacedKeyText =
  "its newest head is signed by a key that was replaced: nodes that hold it keep it, and those that join get nothing before the next change, signed with the new key";

/** Ledgers that nothing new can come of: a writer that was succeeded and follows nobody yet. */
function unservedProblems({ holdings, uplinks, peers }: NodeParts): string[] {
  if (uplinks.all.length > 0 || peers.connected) return [];
  return [...holdings.ledgers.values()].flatMap(({ id, name, head }) =>
    holdings.writers.has(id) || head === undefined
      ? []
      : `${name.project} is written elsewhere, and this node has no upstream: \`headwater join TOKEN\`, of a node that has it`,
  );
}

function layerProblems(project: Project, at: Moment): string[] {
  // A project of which nothing has come is EMPTY, and that is all that there is to say.
  const isAwaited = project.ownLedger.head !== undefined;
  const overlays = isAwaited ? project.ledgers.filter(({ head }) => head === undefined) : [];
  const missing = overlays.map(
    ({ name }) => `${project.name}: its overlay ${toHex(name.authority)} has not come yet`,
  );
  const idle = project.ledgers.flatMap((ledger) => {
    const whose = ledger === project.ownLedger ? "" : ` of overlay ${toHex(ledger.name.authority)}`;
    const misunderstood = project.layerOf(ledger)?.misunderstood.size ?? 0;
    const ungranted = project.ungranted(ledger, at.wallMs).length;
    const what = (count: number): string => `${project.name}: ${count} entries${whose}`;
    return [
      ...(misunderstood === 0
        ? []
        : [`${what(misunderstood)} are not understood: flags are off, rules are nothing`]),
      ...(ungranted === 0
        ? []
        : [`${what(ungranted)} need a grant of the project, and have no effect`]),
    ];
  });
  return [...missing, ...idle];
}

function servedThen(freshness: Freshness): string {
  return freshness === "EMPTY"
    ? "nothing is served, apps keep what they have"
    : "its last values are served";
}
