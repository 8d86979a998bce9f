import { answered, type Effect, logged } from "../effect.ts";
import type { EventOf, Moment, Peer } from "../event.ts";
import { isName } from "../flag/name.ts";
import { amongTheirs, mayHave } from "../link/admissions.ts";
import { refuse } from "../link/downlinks.ts";
import { ledgersOf } from "../link/frame-ledgers.ts";
import { hearAhead } from "../outrun.ts";
import type { NodeParts } from "../parts.ts";
import { notDurable, type Outcome, refused } from "../refusal.ts";
import { tellPeers } from "../site/tell-peers.ts";
import { nothingBut, type Staged } from "../staged.ts";
import { receivedWrite } from "../telemetry/received.ts";
import type { Admission } from "../trust/children.ts";
import { takeArrival } from "./arrival.ts";

/** A child has dialled: it gets what its token names, if it may. */
export function openChild(parts: NodeParts, event: EventOf<"child-opened">): Effect[] {
  const site = authenticate(parts, event.peer, event.at);
  if (!site.ok) {
    const message = `a node was turned away: ${site.refusal.message}`;
    return [...refuse(event.link, { reason: "REVOKED" }), logged("warn", "child-refused", message)];
  }
  const { link: id, at } = event;
  const admission = site.value;
  parts.admissions.open(id, admission);
  const holdings = amongTheirs(admission, event.request.holdings, parts.holdings);
  const request = { ...event.request, holdings };
  return parts.downlinks.open({ id, site: admission.site, request, monoMs: at.monoMs });
}

export function closeChild({ downlinks, admissions }: NodeParts, link: number): void {
  downlinks.closed(link);
  admissions.close(link);
}

/** A child tells what it has made durable, and of whom it knows more than this node. */
export function confirmChild(parts: NodeParts, event: EventOf<"child-confirmed">): Staged {
  const { call, at } = event;
  const site = authenticate(parts, event.peer, at);
  if (!site.ok) return nothingBut([answered(call, site)]);
  const again = amongTheirs(site.value, event.request.again, parts.holdings);
  const request = { ...event.request, again };
  const confirmed = parts.downlinks.confirmed(site.value.site, request, at.monoMs);
  if (!confirmed.ok) return nothingBut([answered(call, confirmed)]);
  const from = `child ${site.value.site}`;
  const proofs = amongTheirs(site.value, request.ahead, parts.holdings);
  const ahead = hearAhead(parts, { proofs, from, at });
  return {
    effects: confirmed.value,
    writes: ahead.writes,
    accept: () => [...ahead.accept(), answered(call, {})],
    fail: (why) => [answered(call, notDurable(why))],
  };
}

/** Answered before it is durable: what is lost is given back again at the next link. */
export function takeGivenBack(parts: NodeParts, event: EventOf<"ledger-given-back">): Staged {
  const { call, peer, request, at } = event;
  const site = authenticate(parts, peer, at);
  if (!site.ok) return nothingBut([answered(call, site)]);
  if (!isName(request.node))
    return nothingBut([answered(call, refused("invalid", "node: not a name"))]);
  const projects = ledgersOf(request.frame?.frame ?? { case: undefined }).map(
    ({ project }) => project,
  );
  if (!projects.every((project) => mayHave(site.value, project, parts.holdings)))
    return nothingBut([answered(call, {})]);
  const child = `${site.value.site}/${request.node}`;
  const arrival = parts.returns.hear(child, request, at.wallMs);
  if (!arrival.ok) {
    const why = `${child} gave back what does not check: ${arrival.refusal.message}`;
    return nothingBut([answered(call, arrival), logged("warn", "frame-refused", why)]);
  }
  const source = { kind: "child", id: child } as const;
  const taken = takeArrival(parts, { arrival: arrival.value, source, at });
  return { ...taken, effects: [answered(call, {}), ...taken.effects] };
}

/** A child's document counts once it is durable; the other nodes of the site keep it as well. */
export function takeDocument(parts: NodeParts, event: EventOf<"document-received">): Staged {
  const { call, document, at } = event;
  const { received, censuses } = parts.telemetry ?? {};
  const site = authenticate(parts, event.peer, at);
  if (!site.ok) return nothingBut([answered(call, site)]);
  if (received === undefined) return nothingBut([answered(call, { outcome: "TELEMETRY_OFF" })]);
  const isServed = parts.holdings.projects.has(document.project);
  if (!isServed || !mayHave(site.value, document.project, parts.holdings))
    return nothingBut([answered(call, { outcome: "UNKNOWN_PROJECT" })]);
  const prepared = received.prepare(site.value.site, document, at.wallMs);
  if (!prepared.ok) return nothingBut([answered(call, prepared)]);
  const record = prepared.value;
  if (record === "REPEATED") return nothingBut([answered(call, { outcome: "REPEATED" })]);
  const census = censuses?.hearChild(site.value.site, document, at.wallMs);
  return {
    effects: [],
    writes: [...receivedWrite(record), ...(census?.writes ?? [])],
    accept: () => {
      received.accept(record);
      census?.accept();
      const message = `${site.value.site}: ${document.kind} of ${document.project}`;
      return [
        answered(call, { outcome: "ACCEPTED" }),
        ...tellPeers(parts, { received: [record.received] }),
        logged("info", "document-received", message),
      ];
    },
    fail: (why) => [answered(call, notDurable(why))],
  };
}

function authenticate(parts: NodeParts, peer: Peer, at: Moment): Outcome<Admission> {
  return parts.children.authenticate(peer, at.wallMs);
}
