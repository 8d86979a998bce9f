import { create } from "@bufbuild/protobuf";
import { type ReplicateResponse, ReplicateResponseSchema } from "../gen/headwater/v1/mesh_pb.ts";
import { type Effect, logged } from "./effect.ts";
import type { Moment } from "./event.ts";
import { deltaSince } from "./ledger/delta.ts";
import { openBeat, type SignedBeat } from "./ledger/head.ts";
import type { Ledger, LedgerChange } from "./ledger/ledger.ts";
import { type LedgerId, positionText } from "./ledger/position.ts";
import { confirmation } from "./link/confirmation.ts";
import { isSameWay } from "./link/downlink.ts";
import type { NodeParts } from "./parts.ts";
import { type Trusted, trustMessage } from "./trust/trusted.ts";

/** Where something about a ledger came from. What the site's peers said is not said to them again. */
export type Source =
  | { readonly kind: "here" | "peers" }
  | { readonly kind: "upstream" | "child"; readonly id: string };

/** What follows once a ledger's change is durable: children, peers and apps get to see it. */
export function advance(
  parts: NodeParts,
  of: { ledger: Ledger; change: LedgerChange; source: Source; at: Moment },
): Effect[] {
  const { ledger, change, source, at } = of;
  const before = ledger.position;
  const exposures = parts.holdings.accept(ledger, change, at.wallMs);
  const effects = parts.downlinks.pumpAll(at.monoMs);
  const isTold = before !== undefined && source.kind !== "peers" && parts.peers.connected;
  const delta = isTold ? deltaSince(ledger, before) : undefined;
  if (delta !== undefined) effects.push(publish(parts, { case: "delta", value: delta }));
  effects.push(...exposures.map((exposure): Effect => ({ kind: "expose", exposure })));
  if (source.kind === "upstream") {
    effects.push(confirm(parts, { upstream: source.id, ledgers: [ledger], at }));
  }
  effects.push(advancedLog({ ledger, change, source, at, isFirst: before === undefined }));
  return effects;
}

/** The same for roots and grants. */
export function advanceTrust(
  parts: NodeParts,
  of: { ledger: Ledger; trusted: Trusted; source: Source; at: Moment },
): Effect[] {
  const { ledger, trusted, source, at } = of;
  ledger.trusted = trusted;
  // Nobody who knows these grants would take such a beat, and would hang up on who sends it.
  if (
    ledger.beat !== undefined &&
    !openBeat(ledger.beat.envelope, { trusted, wallMs: at.wallMs }).ok
  )
    ledger.beat = undefined;
  const exposures = parts.holdings.refold(at.wallMs, ledger.name.project);
  const effects = parts.downlinks.pumpAll(at.monoMs);
  effects.push(...exposures.map((exposure): Effect => ({ kind: "expose", exposure })));
  if (source.kind === "peers") return effects;
  const name = { authority: ledger.name.authority, project: ledger.name.project };
  const value = { ledger: name, trust: trustMessage(trusted) };
  const { frame } = create(ReplicateResponseSchema, { frame: { case: "trustUpdate", value } });
  return [...effects, publish(parts, frame)];
}

/** The same for beats. They change no flag, but how fresh all are. */
export function advanceBeats(
  parts: NodeParts,
  of: { beats: readonly { ledger: Ledger; beat: SignedBeat }[]; source: Source; at: Moment },
): Effect[] {
  const { beats, source, at } = of;
  for (const { ledger, beat } of beats) ledger.beat = beat;
  const effects = parts.downlinks.pumpAll(at.monoMs);
  if (source.kind === "peers") return effects;
  const value = {
    beats: beats.map(({ ledger: { name }, beat }) => ({
      ledger: { authority: name.authority, project: name.project },
      beat: beat.envelope,
    })),
  };
  const { frame } = create(ReplicateResponseSchema, { frame: { case: "heartbeat", value } });
  return [...effects, publish(parts, frame)];
}

/**
 * The way that a ledger came is its primary upstream's way and this node. Where it is what it was,
 * children have nothing to hear of.
 */
export function renewHops(
  parts: NodeParts,
  at: Moment,
  ids: Iterable<LedgerId> = parts.holdings.served.keys(),
): Effect[] {
  const { holdings, downlinks, ways } = parts;
  const wasSettled = ways.held.size === 0;
  let isNews = false;
  for (const id of ids) {
    const hops = otherWayOf(parts, id);
    if (hops === undefined) ways.settled(id);
    else if (ways.mayTell(id, at.monoMs)) {
      holdings.setHops(id, hops);
      isNews = true;
    }
  }
  const effects = isNews ? downlinks.pumpAll(at.monoMs) : [];
  const [unsettled] = wasSettled ? ways.held : [];
  const project = unsettled && holdings.ledgers.get(unsettled)?.name.project;
  if (project !== undefined) effects.push(logged("warn", "way-unsettled", unsettledText(project)));
  return effects;
}

/** Where it is another than children know. What is written here has none. */
function otherWayOf(
  { holdings, uplinks, settings }: NodeParts,
  id: LedgerId,
): readonly Uint8Array[] | undefined {
  const offer = uplinks.primaryOf(id)?.offerOf(id);
  if (offer === undefined) return undefined;
  const hops = [...offer.hops, settings.nodeId];
  return isSameWay(hops, holdings.served.get(id)?.hops ?? []) ? undefined : hops;
}

function unsettledText(project: string): string {
  return `${project} comes by one way and another, again and again: is this node joined, perhaps through others, to a node that is joined to it?`;
}

/** Tells an upstream what is durable here, and now and then shows it again all that it lacks. */
function confirm(
  parts: NodeParts,
  of: { upstream: string; ledgers: readonly Ledger[]; at: Moment },
): Effect {
  const uplink = parts.uplinks.all.find(({ settings }) => settings.id === of.upstream);
  return confirmWith(parts, { ...of, behind: uplink?.toShowAgain(of.at.monoMs) ?? [] });
}

/** Shows an upstream a ledger that it lacks something of. */
export function showAhead(
  parts: NodeParts,
  { upstream, ledger, at }: { upstream: string; ledger: LedgerId; at: Moment },
): Effect {
  parts.uplinks.all.find(({ settings }) => settings.id === upstream)?.shown(at.monoMs);
  return confirmWith(parts, { upstream, ledgers: [], behind: [ledger] });
}

function confirmWith(
  { settings, holdings }: NodeParts,
  of: { upstream: string; ledgers: readonly Ledger[]; behind: readonly LedgerId[] },
): Effect {
  const request = confirmation({ ...of, node: settings.name, held: holdings.ledgers });
  return { kind: "confirm", upstream: of.upstream, request };
}

function publish(parts: NodeParts, frame: ReplicateResponse["frame"]): Effect {
  const value = create(ReplicateResponseSchema);
  value.frame = frame;
  return parts.peers.publish({ case: "frame", value });
}

function advancedLog(of: {
  ledger: Ledger;
  change: LedgerChange;
  source: Source;
  at: Moment;
  /** Nothing was held of it: its age is not how long it was on its way. */
  isFirst: boolean;
}): Effect {
  const { ledger, change, source, at } = of;
  const { puts, deletes } = change.staged;
  const fields = {
    project: ledger.name.project,
    position: positionText(change.head.position),
    entries: puts.length + deletes.length,
    from: "id" in source ? source.id : source.kind,
    ageMs: Math.max(0, Math.round(at.wallMs - Number(change.head.head.issuedMs))),
    ...(of.isFirst && { first: true }),
  };
  const message = `${fields.project} is at ${fields.position}`;
  return { kind: "log", entry: { level: "info", event: "ledger-advanced", message, fields } };
}
