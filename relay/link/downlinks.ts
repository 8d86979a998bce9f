import { create } from "@bufbuild/protobuf";
import {
  type ConfirmRequest,
  GoodbyeSchema,
  type ReplicateRequest,
  WelcomeSchema,
} from "../../gen/headwater/v1/mesh_pb.ts";
import {
  heartbeatIntervalMs,
  heartbeatsMissedMax,
  minuteMs,
  overloadRetryMs,
  stalledAfterMs,
  takenRetryMs,
} from "../cadence.ts";
import { type Effect, logged } from "../effect.ts";
import type { Flushed, LinkId } from "../event.ts";
import { isName } from "../flag/name.ts";
import type { LedgerId } from "../ledger/position.ts";
import {
  childrenCountMax,
  holdingsCountMax,
  linkBytesInFlightMax,
  linkBytesInFlightMin,
  linksBytesInFlightMax,
} from "../limits.ts";
import { done, type Outcome, refused } from "../refusal.ts";
import { bytesEqual } from "../trust/key.ts";
import { Downlink, type Served } from "./downlink.ts";
import { encodeFrame } from "./ledger-frames.ts";
import { protocolVersion } from "./protocol.ts";
import { holdingsProblem, requestProblem } from "./request-problem.ts";

/** Why a link ends, when it is to be dialled again, and what was wrong. */
export interface Farewell {
  readonly reason:
    | "DRAIN"
    | "OVERLOAD"
    | "REVOKED"
    | "TERMINATED"
    | "REPLACED"
    | "TAKEN"
    | "PROTOCOL";
  readonly retryAfterMs?: number;
  readonly message?: string;
}

type Opening = {
  readonly id: LinkId;
  readonly site: string;
  readonly request: ReplicateRequest;
  readonly monoMs: number;
};

/** A parent's links, one for each (site, node) below it. */
export class Downlinks {
  readonly #self: { readonly site: string; readonly node: string; readonly nodeId: Uint8Array };
  readonly #served: () => ReadonlyMap<LedgerId, Served>;
  readonly #links = new Map<LinkId, Downlink>();
  /** By site and node: each confirmation looks for one. */
  readonly #named = new Map<string, Downlink>();

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
   * Monotonic milliseconds at which a heartbeat is due, or a link has taken nothing for too long;
   * undefined when there is none. A link without room gets no heartbeat.
   */
  get dueAtMonoMs(): number | undefined {
    let due = Number.POSITIVE_INFINITY;
    for (const link of this.#links.values()) {
      if (this.#hasRoom(link)) due = Math.min(due, link.sentAtMonoMs + heartbeatIntervalMs);
      if (link.stuckSinceMonoMs !== undefined)
        due = Math.min(due, link.stuckSinceMonoMs + stalledAfterMs);
    }
    return Number.isFinite(due) ? due : undefined;
  }

  open(of: Opening): Effect[] {
    const problem = requestProblem(of.request);
    if (problem !== undefined) return turnAway(of, { reason: "PROTOCOL", message: problem });
    const former = this.#named.get(nameOf(of.site, of.request.node));
    if (former !== undefined && isTaken(former, of))
      return turnAway(of, { reason: "TAKEN", retryAfterMs: takenRetryMs });
    const effects =
      former === undefined
        ? []
        : this.#dismiss(former, { reason: "REPLACED", retryAfterMs: takenRetryMs });
    if (this.#links.size >= childrenCountMax)
      return [...effects, ...turnAway(of, { reason: "OVERLOAD", retryAfterMs: overloadRetryMs })];
    const link = new Downlink(of);
    this.#links.set(of.id, link);
    this.#named.set(nameOf(link.site, link.node), link);
    effects.push(this.#send(link, this.#welcome(of.request.protocol), of.monoMs));
    effects.push(...this.#pump(link, of.monoMs));
    effects.push(logged("info", "child-opened", `${of.site}/${of.request.node} is connected`));
    return effects;
  }

  flushed(flushed: Flushed, monoMs: number): Effect[] {
    const link = this.#links.get(flushed.link);
    if (link === undefined) return [];
    link.flushed(flushed, monoMs);
    return link.isBehind ? this.#pump(link, monoMs) : [];
  }

  /** What a child has made durable, and what it wants to be served anew. */
  confirmed(
    site: string,
    { node, holdings, again }: ConfirmRequest,
    monoMs: number,
  ): Outcome<Effect[]> {
    const problem = holdingsProblem("holdings", holdings) ?? holdingsProblem("again", again);
    if (problem !== undefined) return refused("invalid", problem);
    const link = this.#named.get(nameOf(site, node));
    if (link === undefined) return done([]);
    link.confirmed(holdings);
    if (again.length === 0) return done([]);
    if (link.ledgersCount + again.length > 2 * holdingsCountMax)
      return refused("limit", `again: a link is about ${holdingsCountMax} ledgers`);
    link.serveAnew(again);
    return done(this.#pump(link, monoMs));
  }

  closed(id: LinkId): void {
    const link = this.#links.get(id);
    if (link !== undefined) this.#forget(link);
  }

  /** Ends links, whatever is on its way. */
  end(ids: readonly LinkId[], reason: Farewell["reason"]): Effect[] {
    return ids.flatMap((id) => {
      const link = this.#links.get(id);
      return link === undefined ? [] : this.#dismiss(link, { reason });
    });
  }

  /** Sends whatever is due on any link; for when something has changed. */
  pumpAll(monoMs: number): Effect[] {
    return this.links.flatMap((link) => this.#pump(link, monoMs));
  }

  /** A sign of life on links that were silent, if only that; the end of those that take nothing. */
  tick(monoMs: number): Effect[] {
    this.#forgetSnapshots(monoMs);
    return this.links.flatMap((link): Effect[] => {
      if (monoMs - (link.stuckSinceMonoMs ?? monoMs) >= stalledAfterMs) return this.#giveUp(link);
      const isSilent = monoMs - link.sentAtMonoMs >= heartbeatIntervalMs;
      if (!isSilent || !this.#hasRoom(link)) return [];
      const due = this.#pump(link, monoMs);
      return due.length > 0 ? due : [this.#send(link, link.heartbeat(), monoMs)];
    });
  }

  #welcome(theirs: number): Uint8Array {
    const value = create(WelcomeSchema, {
      protocol: Math.min(protocolVersion, theirs),
      ...this.#self,
      heartbeatMs: heartbeatIntervalMs,
    });
    return encodeFrame({ case: "welcome", value });
  }

  #hasRoom(link: Downlink): boolean {
    const share = linksBytesInFlightMax / Math.max(1, this.#links.size);
    return link.hasRoom(Math.min(linkBytesInFlightMax, Math.max(linkBytesInFlightMin, share)));
  }

  #forgetSnapshots(monoMs: number): void {
    const wanted = new Set(this.links.flatMap((link) => link.snapshots));
    for (const [id, { frames }] of this.#served()) if (!wanted.has(id)) frames.idle(monoMs);
  }

  #giveUp(link: Downlink): Effect[] {
    const minutes = stalledAfterMs / minuteMs;
    const message = `${link.site}/${link.node} has taken nothing for ${minutes} minutes: its link is ended`;
    return [
      ...this.#dismiss(link, { reason: "OVERLOAD", retryAfterMs: overloadRetryMs }),
      logged("warn", "child-stalled", message),
    ];
  }

  #pump(link: Downlink, monoMs: number): Effect[] {
    const served = this.#served();
    const effects: Effect[] = [];
    link.isBehind = true;
    while (link.isBehind && this.#hasRoom(link)) {
      const frame = link.next(served);
      if (frame === undefined) link.isBehind = false;
      else effects.push(this.#send(link, frame, monoMs));
    }
    return effects;
  }

  #send(link: Downlink, frame: Uint8Array, monoMs: number): Effect {
    link.handed(frame, monoMs);
    return { kind: "send", link: link.id, frame };
  }

  #dismiss(link: Downlink, farewell: Farewell): Effect[] {
    this.#forget(link);
    return refuse(link.id, farewell);
  }

  #forget(link: Downlink): void {
    this.#links.delete(link.id);
    this.#named.delete(nameOf(link.site, link.node));
  }
}

/** A site's name has no slash. */
function nameOf(site: string, node: string): string {
  return `${site}/${node}`;
}

/** Says why and ends the stream. */
export function refuse(link: LinkId, farewell: Farewell): Effect[] {
  const value = create(GoodbyeSchema, farewell);
  return [
    { kind: "send", link, frame: encodeFrame({ case: "goodbye", value }) },
    { kind: "close", link },
  ];
}

function turnAway({ id, site, request }: Opening, farewell: Farewell): Effect[] {
  const why = farewell.message === undefined ? "" : `: ${farewell.message}`;
  const node = isName(request.node) ? request.node : "?";
  const message = `${site}/${node} was turned away, ${farewell.reason}${why}`;
  return [...refuse(id, farewell), logged("warn", "child-refused", message)];
}

/**
 * Whether a newcomer is another node that has a connected one's name. One that comes again, or
 * whose former link takes nothing any more, has its place.
 */
function isTaken(former: Downlink, { request, monoMs }: Opening): boolean {
  const stuckMs = monoMs - (former.stuckSinceMonoMs ?? monoMs);
  return (
    !bytesEqual(former.nodeId, request.nodeId) &&
    stuckMs < heartbeatsMissedMax * heartbeatIntervalMs
  );
}
