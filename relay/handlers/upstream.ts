import { renewHops, showAhead } from "../advance.ts";
import { type Effect, logged } from "../effect.ts";
import type { EventOf } from "../event.ts";
import { ledgerId } from "../ledger/position.ts";
import { giveBack, giveBackTrust } from "../outrun.ts";
import type { NodeParts } from "../parts.ts";
import { tellPeers } from "../site/tell-peers.ts";
import { nothingBut, type Staged } from "../staged.ts";
import { takeArrival } from "./arrival.ts";

/** A parent has sent something: the link goes on, and what it has brought is taken. */
export function takeFrame(parts: NodeParts, event: EventOf<"upstream-frame">): Staged {
  const { upstream: id, at } = event;
  const { frame } = event.frame;
  const { arrival, effects } = parts.uplinks.hear(id, frame, at);
  const offered = frame.case === "offer" && frame.value.ledger && ledgerId(frame.value.ledger);
  if (effects.length > 0) effects.push(...renewHops(parts, at));
  else if (offered) effects.push(...renewHops(parts, at, [offered]));
  if (frame.case === "offer" && offered && frame.value.outcome === "BEHIND")
    effects.push(
      showAhead(parts, { upstream: id, ledger: offered, at }),
      ...giveBack(parts, id, frame.value),
    );
  if (frame.case === "trustUpdate") effects.push(...giveBackTrust(parts, id, frame.value));
  const taken = takeArrival(parts, { arrival, source: { kind: "upstream", id }, at });
  return { ...taken, effects: [...effects, ...taken.effects] };
}

export function closeUpstream(parts: NodeParts, event: EventOf<"upstream-closed">): Effect[] {
  const { upstream, why, at } = event;
  parts.uplinks.closed(upstream, why, at.monoMs);
  return [...renewHops(parts, at), logged("info", "upstream-closed", `${upstream}: ${why}`)];
}

/** A parent has said what became of a document. */
export function settleDocument(parts: NodeParts, event: EventOf<"document-answered">): Staged {
  const { upstream, document, outcome, at } = event;
  const { telemetry } = parts;
  if (telemetry === undefined) return nothingBut([]);
  const answer = telemetry.outbox.answered(upstream, document, outcome);
  const { writes, again, settled } = answer;
  return {
    effects: [],
    writes,
    accept: () => {
      answer.accept();
      if (again) telemetry.resubmissions.add({ upstream, document, at });
      const message = `${document.kind} of ${document.project} to ${upstream}: ${outcome}`;
      const told = settled === undefined ? [] : tellPeers(parts, { sent: [settled] });
      return [...told, logged("info", "document-sent", message)];
    },
    fail: () => [],
  };
}
