import { create } from "@bufbuild/protobuf";
import {
  type ConfirmRequest,
  GoodbyeSchema,
  type ReplicateRequest,
  WelcomeSchema,
} from "../../gen/headwater/v1/mesh_pb.ts";
import { heartbeatIntervalMs } from "../cadence.ts";
import type { Effect } from "../effect.ts";
import type { LinkId } from "../event.ts";
import type { LedgerId } from "../ledger/position.ts";
import { childrenCountMax } from "../limits.ts";
import { Downlink, type Served } from "./downlink.ts";
import { encodeFrame } from "./ledger-frames.ts";

/** The newest protocol between nodes that this software speaks. */
export const protocolVersion = 1;

export type GoodbyeReason = "DRAIN" | "OVERLOAD" | "REVOKED" | "REPLACED" | "PROTOCOL";

/** A parent's links, one for each (site, node) below it. */
export class Downlinks {
  readonly #self: { readonly site: string; readonly node: string; readonly nodeId: Uint8Array };
  readonly #served: () => ReadonlyMap<LedgerId, Served>;
  readonly #links = new Map<LinkId, Downlink>();

  constructor(
    self: { readonly site: string; readonly node: string; readonly nodeId: Uint8Array },
    served: () => ReadonlyMap<LedgerId, Served>,
  ) {
    this.#self = self;
    this.#served = served;
  }

  get links(): readonly Downlink[] {
    return [...this.#links.values()];
  }

  /**
   * Monotonic milliseconds at which a heartbeat is due; undefined when none is. A link without
   * room gets none: until it has taken what it was sent there is nothing to wake up for.
   */
  get dueAtMonoMs(): number | undefined {
    let oldest = Number.POSITIVE_INFINITY;
    for (const { hasRoom, sentAtMonoMs } of this.#links.values())
      if (hasRoom) oldest = Math.min(oldest, sentAtMonoMs);
    return Number.isFinite(oldest) ? oldest + heartbeatIntervalMs : undefined;
  }

  open(of: { id: LinkId; site: string; request: ReplicateRequest; monoMs: number }): Effect[] {
    if (of.request.protocol < 1) return refuse(of.id, "PROTOCOL", 0);
    const former = this.links.find(
      (link) => link.site === of.site && link.node === of.request.node,
    );
    const effects = former === undefined ? [] : this.#dismiss(former, "REPLACED");
    if (this.#links.size >= childrenCountMax)
      return [...effects, ...refuse(of.id, "OVERLOAD", 30_000)];
    const link = new Downlink(of);
    this.#links.set(of.id, link);
    const { site, node, nodeId } = this.#self;
    const welcome = create(WelcomeSchema, {
      protocol: Math.min(protocolVersion, of.request.protocol),
      site,
      node,
      nodeId,
      heartbeatMs: heartbeatIntervalMs,
    });
    effects.push(this.#send(link, encodeFrame({ case: "welcome", value: welcome }), of.monoMs));
    return [...effects, ...this.#pump(link, of.monoMs)];
  }

  flushed(of: { id: LinkId; framesCount: number; bytes: number; monoMs: number }): Effect[] {
    const link = this.#links.get(of.id);
    if (link === undefined) return [];
    link.flushed(of.framesCount, of.bytes);
    return this.#pump(link, of.monoMs);
  }

  confirmed(site: string, { node, holdings }: ConfirmRequest): void {
    this.links.find((link) => link.site === site && link.node === node)?.confirmed(holdings);
  }

  closed(id: LinkId): void {
    this.#links.delete(id);
  }

  /** Ends all links of a site. */
  revoke(site: string): Effect[] {
    return this.links
      .filter((link) => link.site === site)
      .flatMap((link) => this.#dismiss(link, "REVOKED"));
  }

  /** Sends whatever is due on any link; for when something has changed. */
  pumpAll(monoMs: number): Effect[] {
    return this.links.flatMap((link) => this.#pump(link, monoMs));
  }

  /** A sign of life on links that were silent. */
  tick(monoMs: number): Effect[] {
    return this.links
      .filter((link) => link.hasRoom && monoMs - link.sentAtMonoMs >= heartbeatIntervalMs)
      .map((link) => this.#send(link, link.heartbeat(), monoMs));
  }

  #pump(link: Downlink, monoMs: number): Effect[] {
    const served = this.#served();
    const effects: Effect[] = [];
    while (link.hasRoom) {
      const frame = link.next(served);
      if (frame === undefined) break;
      effects.push(this.#send(link, frame, monoMs));
    }
    return effects;
  }

  #send(link: Downlink, frame: Uint8Array, monoMs: number): Effect {
    link.handed(frame, monoMs);
    return { kind: "send", link: link.id, frame };
  }

  #dismiss(link: Downlink, reason: GoodbyeReason): Effect[] {
    this.#links.delete(link.id);
    return refuse(link.id, reason, 0);
  }
}

/** Says why and ends the stream. */
export function refuse(link: LinkId, reason: GoodbyeReason, retryAfterMs: number): Effect[] {
  const value = create(GoodbyeSchema, { reason, retryAfterMs });
  return [
    { kind: "send", link, frame: encodeFrame({ case: "goodbye", value }) },
    { kind: "close", link },
  ];
}
