import type { Goodbye, Offer, Welcome } from "../../gen/headwater/v1/mesh_pb.ts";
import { dialDeadlineMs, heartbeatIntervalMs, heartbeatsMissedMax } from "../cadence.ts";
import type { LedgerId } from "../ledger/position.ts";
import { ledgerId } from "../ledger/position.ts";
import type { Random } from "../random.ts";
import { bytesEqual } from "../trust/key.ts";
import { Backoff } from "./backoff.ts";

/** A parent site as configured or joined. */
export interface UpstreamSettings {
  /** The site's name, or the address it was configured by. */
  readonly id: string;
  /** `host:port` of its nodes, tried in turn. */
  readonly addresses: readonly string[];
  readonly certificate: Uint8Array | undefined;
  readonly credential: Uint8Array | undefined;
  /** The projects that its token named; undefined: whatever is pinned here. */
  readonly projects: readonly string[] | undefined;
  /** The ledgers that its token named, so that it knows of them. */
  readonly ledgers?: ReadonlySet<LedgerId>;
}

export type UplinkState =
  | { readonly kind: "waiting"; readonly untilMonoMs: number }
  | { readonly kind: "dialing"; readonly sinceMonoMs: number }
  | { readonly kind: "open"; readonly heardAtMonoMs: number; readonly heartbeatMs: number };

interface HeldOffer {
  readonly outcome: string;
  readonly hops: readonly Uint8Array[];
}

/**
 * The child's end of a link: waiting -> dialing -> open -> waiting. It says when to dial and when
 * to give up; what frames mean is not its business.
 */
export class Uplink {
  readonly settings: UpstreamSettings;
  readonly #nodeId: Uint8Array;
  readonly #backoff: Backoff;
  readonly #offers = new Map<LedgerId, HeldOffer>();
  #state: UplinkState;
  #dialsCount = 0;
  parent: { readonly site: string; readonly node: string } = { site: "", node: "" };
  /** Why it is not connected, or what is wrong with what it sends; empty when all is well. */
  problem = "";

  constructor(of: {
    settings: UpstreamSettings;
    nodeId: Uint8Array;
    random: Random;
    monoMs: number;
  }) {
    this.settings = of.settings;
    this.#nodeId = of.nodeId;
    this.#backoff = new Backoff(of.random);
    this.#state = { kind: "waiting", untilMonoMs: of.monoMs };
  }

  get state(): UplinkState {
    return this.#state;
  }

  /** Monotonic milliseconds at which `tick` has something to do. */
  get dueAtMonoMs(): number {
    if (this.#state.kind === "waiting") return this.#state.untilMonoMs;
    if (this.#state.kind === "dialing") return this.#state.sinceMonoMs + dialDeadlineMs;
    return this.#state.heardAtMonoMs + this.#state.heartbeatMs * heartbeatsMissedMax;
  }

  /** What is to be done now, if anything: dial this address, or hang up for this reason. */
  tick(monoMs: number): { dial: string } | { hangUp: string } | undefined {
    if (monoMs < this.dueAtMonoMs) return undefined;
    if (this.#state.kind === "dialing") return { hangUp: "no answer in time" };
    if (this.#state.kind === "open") return { hangUp: "nothing heard for two heartbeats" };
    const { addresses } = this.settings;
    const address = addresses[this.#dialsCount % addresses.length];
    if (address === undefined) return undefined;
    this.#dialsCount++;
    this.#state = { kind: "dialing", sinceMonoMs: monoMs };
    return { dial: address };
  }

  heard(monoMs: number): void {
    const heartbeatMs = this.#state.kind === "open" ? this.#state.heartbeatMs : heartbeatIntervalMs;
    this.#state = { kind: "open", heardAtMonoMs: monoMs, heartbeatMs };
  }

  welcomed(welcome: Welcome, monoMs: number): void {
    this.parent = { site: welcome.site, node: welcome.node };
    const heartbeatMs = Math.min(Math.max(welcome.heartbeatMs, 1_000), heartbeatIntervalMs * 4);
    this.#state = { kind: "open", heardAtMonoMs: monoMs, heartbeatMs };
    this.problem = "";
  }

  offered(offer: Offer): void {
    if (offer.ledger === undefined) return;
    this.#offers.set(ledgerId(offer.ledger), { outcome: offer.outcome, hops: offer.hops });
  }

  /** A frame was applied: the link is good, the next failure is the first again. */
  applied(): void {
    this.#backoff.reset();
    this.problem = "";
  }

  /** The link has ended; it is dialled again after a while. */
  ended(why: string, monoMs: number): void {
    this.#offers.clear();
    this.problem = why;
    this.#state = { kind: "waiting", untilMonoMs: monoMs + this.#backoff.next() };
  }

  goodbye(goodbye: Goodbye, monoMs: number): void {
    this.ended(goodbyeText(goodbye.reason), monoMs);
    const retryAtMonoMs = monoMs + Math.min(goodbye.retryAfterMs, 10 * 60_000);
    if (this.#state.kind === "waiting" && this.#state.untilMonoMs < retryAtMonoMs)
      this.#state = { kind: "waiting", untilMonoMs: retryAtMonoMs };
  }

  /** Whether frames of a ledger are taken from here: not when they would have come through us. */
  takes(id: LedgerId): boolean {
    const offer = this.#offers.get(id);
    return offer !== undefined && !offer.hops.some((hop) => bytesEqual(hop, this.#nodeId));
  }

  serves(id: LedgerId): boolean {
    const outcome = this.#offers.get(id)?.outcome;
    return this.takes(id) && (outcome === "RESUME" || outcome === "SNAPSHOT");
  }

  /** Ledgers that the parent says it holds less of. */
  get behind(): LedgerId[] {
    return [...this.#offers].flatMap(([id, { outcome }]) => (outcome === "BEHIND" ? id : []));
  }

  offerOf(id: LedgerId): HeldOffer | undefined {
    return this.#offers.get(id);
  }
}

function goodbyeText(reason: string): string {
  const texts: Readonly<Record<string, string>> = {
    DRAIN: "the parent is stopping",
    OVERLOAD: "the parent is overloaded",
    REVOKED: "the parent has revoked this site's token; ask its operator for a new one",
    REPLACED: "another node with this site's token and this node's name has connected",
    PROTOCOL: "the parent does not speak this node's protocol",
  };
  return texts[reason] ?? `the parent has ended the link (${JSON.stringify(reason)})`;
}
