import { create, fromBinary } from "@bufbuild/protobuf";
import {
  type ReplicateRequest,
  ReplicateRequestSchema,
  type ReplicateResponse,
  ReplicateResponseSchema,
} from "../../../gen/headwater/v1/mesh_pb.ts";
import { Ledger } from "../../../relay/ledger/ledger.ts";
import { holdingOf } from "../../../relay/link/holding.ts";
import { type Arrival, Inbox } from "../../../relay/link/inbox.ts";
import type { Outcome } from "../../../relay/refusal.ts";
import { type Authority, epochMs } from "../authority.ts";

export function frameOf(bytes: Uint8Array): ReplicateResponse["frame"] {
  return fromBinary(ReplicateResponseSchema, bytes).frame;
}

/** The frames' kinds; an offer's is its outcome. */
export function kindsOf(frames: readonly Uint8Array[]): string[] {
  return frames.map((bytes) => {
    const frame = frameOf(bytes);
    return frame.case === "offer" ? frame.value.outcome : (frame.case ?? "nothing");
  });
}

/** A child that applies what it hears at once. */
export class Mirror {
  readonly ledgers: ReadonlyMap<string, Ledger>;
  readonly inbox: Inbox;

  constructor(...authorities: readonly Authority[]) {
    const ledgers = authorities.map(({ id, project }) => new Ledger({ authority: id, project }));
    this.ledgers = new Map(ledgers.map((ledger) => [ledger.id, ledger]));
    this.inbox = new Inbox(this.ledgers as ConstructorParameters<typeof Inbox>[0]);
  }

  /** The first of its ledgers. */
  get ledger(): Ledger {
    const [first] = this.ledgers.values();
    if (first === undefined) throw new Error("a mirror of nothing");
    return first;
  }

  request(of: { node?: string; protocol?: number } = {}): ReplicateRequest {
    const { node = "node", protocol = 1 } = of;
    const holdings = [...this.ledgers.values()].map(holdingOf);
    return create(ReplicateRequestSchema, { protocol, site: "site", node, holdings });
  }

  hear(bytes: Uint8Array, wallMs: number = epochMs): Outcome<Arrival> {
    const outcome = this.inbox.hear(frameOf(bytes), wallMs);
    if (!outcome.ok) return outcome;
    const arrival = outcome.value;
    if (arrival.kind === "change") arrival.ledger.accept(arrival.change);
    if (arrival.kind === "trust") arrival.ledger.trusted = arrival.trusted;
    if (arrival.kind === "beats") for (const { ledger, beat } of arrival.beats) ledger.beat = beat;
    return outcome;
  }

  /** What each frame came to; a refusal's message. */
  hearAll(frames: readonly Uint8Array[]): string[] {
    return frames.map((bytes) => {
      const outcome = this.hear(bytes);
      if (!outcome.ok) return outcome.refusal.message;
      const [trouble] = outcome.value.kind === "beats" ? outcome.value.troubles : [];
      return trouble?.why ?? outcome.value.kind;
    });
  }
}
