import type { PeerMessage } from "../../gen/headwater/v1/fanout_pb.ts";
import { type Effect, logged } from "../effect.ts";
import type { EventOf } from "../event.ts";
import { isName } from "../flag/name.ts";
import type { NodeParts } from "../parts.ts";
import { hearWord } from "../site/site-word.ts";
import { nothingBut, type Staged } from "../staged.ts";
import { boundsProblem } from "../telemetry/report-bounds.ts";
import { takeReport } from "../telemetry/take-report.ts";
import { takeArrival } from "./arrival.ts";

/** Another node of the site has said something. */
export function hearPeer(parts: NodeParts, event: EventOf<"peer-spoke">): Staged {
  const { message, at } = event;
  const { peers, peerInbox, holdings, telemetry } = parts;
  if (!isName(message.node)) return nothingBut([]);
  peers.heard(message, at.monoMs);
  telemetry?.censuses.hearPeer(message, at.wallMs);
  switch (message.body.case) {
    case "report":
      if (boundsProblem(message.body.value) === undefined)
        takeReport(parts, message.body.value, { at, isOwn: false });
      return nothingBut([]);
    case "unreported":
      telemetry?.censuses.overhear(message.body.value.project, at.wallMs);
      return nothingBut([]);
    case "children":
    case "consents":
    case "records":
    case "pins":
      return hearWord(parts, message.body, at);
    case "frame": {
      const arrival = peerInbox.hear(message.body.value.frame, at.wallMs);
      if (arrival.ok)
        return takeArrival(parts, { arrival: arrival.value, source: { kind: "peers" }, at });
      const why = `${message.node}: ${arrival.refusal.message}`;
      return nothingBut([logged("warn", "frame-refused", why)]);
    }
    case "alive":
    case undefined:
      if (holdings.pins.length === 0) peers.ask();
      return nothingBut([]);
  }
}

/** What this node has that the asking one lacks. */
export function answerPeer(parts: NodeParts, event: EventOf<"peer-asked">): PeerMessage[] {
  const { ask, at } = event;
  const { peers, memory } = parts;
  const lacking = ask.records === undefined ? [] : memory.lacking(ask.records, at.wallMs);
  return peers.answer(ask, parts, lacking);
}

export function changeFanout(parts: NodeParts, event: EventOf<"fanout-changed">): Effect[] {
  const { connected, problem, at } = event;
  const { peers, telemetry } = parts;
  peers.connected = connected;
  // What peers have heard meanwhile was not heard here.
  telemetry?.censuses.interrupt(at.wallMs);
  peers.problem = problem;
  if (connected) peers.askAll();
  return [logged(connected ? "info" : "warn", "fanout-changed", problem || "connected")];
}
