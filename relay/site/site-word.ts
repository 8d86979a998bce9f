import type { PeerMessage } from "../../gen/headwater/v1/fanout_pb.ts";
import { type Effect, logged } from "../effect.ts";
import type { Moment } from "../event.ts";
import { acceptChildren, childWrite } from "../operations/children.ts";
import { redial } from "../operations/joining.ts";
import type { NodeParts } from "../parts.ts";
import { nothingBut, type Staged } from "../staged.ts";

type Body<K extends PeerMessage["body"]["case"]> = Extract<PeerMessage["body"], { case: K }>;

/** What the site's own key has signed, at whichever node it was said, holds for all of them. */
export function hearWord(
  parts: NodeParts,
  body: Body<"children" | "consents" | "pins" | "records">,
  at: Moment,
): Staged {
  switch (body.case) {
    case "children":
      return hearChildren(parts, body, at);
    case "consents":
      return hearConsents(parts, body, at);
    case "pins":
      return hearPins(parts, body, at);
    case "records":
      return hearRecords(parts, body, at);
  }
}

/** Whom the site's operator lets in, or revokes. */
function hearChildren(parts: NodeParts, { value }: Body<"children">, at: Moment): Staged {
  const records = parts.children.heard(parts.peers.seal.openChildren(value));
  if (records.length === 0) return nothingBut([]);
  const accept = (): Effect[] => acceptChildren(parts, records, at);
  return { effects: [], writes: records.map(childWrite), accept, fail: () => [] };
}

/** What the site's operator discloses. */
function hearConsents(parts: NodeParts, { value }: Body<"consents">, at: Moment): Staged {
  const choices =
    parts.telemetry?.consents.heard(parts.peers.seal.openConsents(value), at.wallMs) ?? [];
  const accept = (): Effect[] => {
    for (const choice of choices) choice.accept();
    return [];
  };
  return { effects: [], writes: choices.map(({ write }) => write), accept, fail: () => [] };
}

/** What the site's operator has joined. */
function hearPins(parts: NodeParts, { value }: Body<"pins">, at: Moment): Staged {
  const { holdings, peers } = parts;
  const fresh = holdings.newPins(peers.seal.openPins(value));
  if (!fresh.ok) return nothingBut([logged("warn", "pins-refused", fresh.refusal.message)]);
  const pins = fresh.value;
  if (pins.length === 0) return nothingBut([]);
  const accept = (): Effect[] => {
    for (const pin of pins) holdings.pin(pin);
    peers.ask();
    return redial(parts, { pins, at });
  };
  return { effects: [], writes: holdings.pinWrites(pins), accept, fail: () => [] };
}

/** What another node has sent, received, planned and counted is kept here as well. */
function hearRecords(parts: NodeParts, { value }: Body<"records">, at: Moment): Staged {
  const records = parts.peers.seal.openRecords(value);
  if (records === undefined) return nothingBut([]);
  const { writes, accept } = parts.memory.heard(records, at.wallMs);
  return {
    effects: [],
    writes,
    accept: () => {
      accept();
      return [];
    },
    fail: () => [],
  };
}
