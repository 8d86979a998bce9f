import { fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  type JoinToken,
  JoinTokenSchema,
  type ProjectPin,
} from "../../gen/headwater/v1/mesh_pb.ts";
import type { Records } from "../durable.ts";
import type { Effect } from "../effect.ts";
import type { EventOf, Moment } from "../event.ts";
import { ledgerId } from "../ledger/position.ts";
import { upstreamsCountMax } from "../limits.ts";
import type { UpstreamSettings } from "../link/uplink.ts";
import type { NodeParts } from "../parts.ts";
import { done, type Outcome, refused } from "../refusal.ts";
import { encodeCredential } from "../trust/join-token.ts";
import type { Operation } from "./operation.ts";

/** Follows a parent, by its token: one of the same site takes the place of the former. */
export function join(parts: NodeParts, { token, at }: EventOf<"join">): Outcome<Operation> {
  const fresh = parts.holdings.newPins(token.pins);
  if (!fresh.ok) return fresh;
  if (token.site === parts.settings.site)
    return refused("invalid", `token: it is this site's own (${token.site})`);
  const others = parts.uplinks.all.filter(({ settings }) => settings.id !== token.site);
  if (others.length >= upstreamsCountMax)
    return refused("limit", `token: ${upstreamsCountMax} upstreams are joined already`);
  const kept = { ...token, place: placeOf(parts, token.site) };
  const upstream = upstreamOf(kept);
  const adopted = parts.telemetry?.consents.adoptEnvironment(upstream.id, at.wallMs);
  return done({
    writes: [
      { bucket: "upstream", key: token.site, value: toBinary(JoinTokenSchema, kept) },
      ...parts.holdings.pinWrites(fresh.value),
      ...(adopted === undefined ? [] : [adopted.write]),
    ],
    accept: () => {
      for (const pin of fresh.value) parts.holdings.pin(pin);
      adopted?.accept();
      const effects = parts.uplinks.end(upstream.id, "joined again", at.monoMs);
      parts.uplinks.add(upstream, at.monoMs);
      effects.push(...redial(parts, { pins: fresh.value, but: upstream.id, at }));
      effects.push(parts.peers.publish(parts.peers.seal.pins(parts.holdings.pins)));
      const { site, addresses, pins: projects } = token;
      return { value: { site, addresses, projects }, effects };
    },
  });
}

/** After all others, so that who was primary stays it; an upstream that is joined again keeps its own. */
function placeOf({ uplinks }: NodeParts, site: string): number {
  const places = uplinks.all.map(({ settings }) => settings.place ?? 0);
  const former = uplinks.all.find(({ settings }) => settings.id === site);
  return former?.settings.place ?? Math.max(0, ...places) + 1;
}

/** Other upstreams that may serve what was pinned have to be asked for it. */
export function redial(
  { uplinks }: NodeParts,
  of: { pins: readonly ProjectPin[]; but?: string; at: Moment },
): Effect[] {
  return uplinks.all.flatMap(({ settings: { id, projects } }) => {
    const isAsked = of.pins.some(
      ({ project, vouchedBy }) =>
        projects === undefined || projects.includes(project) || projects.includes(vouchedBy),
    );
    return isAsked && id !== of.but ? uplinks.end(id, "more is pinned", of.at.monoMs) : [];
  });
}

/** A parent as its token describes it. */
function upstreamOf(token: JoinToken): UpstreamSettings {
  return {
    id: token.site,
    addresses: token.addresses,
    certificate: token.certificate,
    credential: token.credential && encodeCredential(token.credential),
    projects: token.pins.map(({ project }) => project),
    place: token.place,
    ledgers: new Set(
      token.pins.flatMap(({ project, authority, overlays }) =>
        [authority, ...overlays].map((one) => ledgerId({ project, authority: one })),
      ),
    ),
  };
}

/** Those that a node has joined, in the order in which it did. */
export function joinedUpstreams(records: Records): UpstreamSettings[] {
  return [...(records.get("upstream")?.values() ?? [])]
    .map((bytes) => fromBinary(JoinTokenSchema, bytes))
    .toSorted((a, b) => a.place - b.place)
    .map(upstreamOf);
}
