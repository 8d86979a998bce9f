import type { Goodbye, Offer, Welcome } from "../../gen/headwater/v1/mesh_pb.ts";
import {
  dialDeadlineMs,
  heartbeatIntervalMs,
  heartbeatsMissedMax,
  redialIntervalMs,
  retryAfterMsMax,
  showAgainIntervalMs,
  takenRetryMs,
} from "../cadence.ts";
import type { LedgerId } from "../ledger/position.ts";
import { ledgerId } from "../ledger/position.ts";
import {
  goodbyeLengthMax,
  hopsCountMax,
  idleFramesBurstMax,
  idleFramesPerSecondMax,
  nodeIdBytesMax,
  offersBurstMax,
} from "../limits.ts";
import { quoted } from "../quoted.ts";
import type { Random } from "../random.ts";
import { RateLimit } from "../rate-limit.ts";
import { bytesEqual } from "../trust/key.ts";
import { Backoff } from "./backoff.ts";
import { Bars } from "./bars.ts";
import { protocolVersion } from "./protocol.ts";

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
  /** Where it stands among those that were joined; absent: it was configured. */
  readonly place?: number;
}

export type UplinkState =
  | { readonly kind: "waiting"; readonly untilMonoMs: number }
  | { readonly kind: "dialing"; readonly sinceMonoMs: number }
  | {
      readonly kind: "open";
      readonly heardAtMonoMs: number;
      readonly heartbeatMs: number;
      readonly sinceMonoMs: number;
      /** What both ends speak; 0 before the welcome. */
      readonly protocol: number;
    };

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
  readonly #random: Random;
  readonly #backoff: Backoff;
  readonly #offers = new Map<LedgerId, HeldOffer>();
  /** What the parent was given back in this link. */
  readonly #returned = new Set<string>();
  readonly #idle = new RateLimit({
    burst: idleFramesBurstMax,
    perSecond: idleFramesPerSecondMax,
  });
  readonly #reoffers = new RateLimit({ burst: offersBurstMax, perSecond: idleFramesPerSecondMax });
  readonly bars: Bars;
  #state: UplinkState;
  #shownAtMonoMs = Number.NEGATIVE_INFINITY;
  #dialsCount = 0;
  #replacedCount = 0;
  #problem = "";
  parent: { readonly site: string; readonly node: string } = { site: "", node: "" };

  constructor(of: {
    settings: UpstreamSettings;
    nodeId: Uint8Array;
    random: Random;
    monoMs: number;
  }) {
    this.settings = of.settings;
    this.#nodeId = of.nodeId;
    this.#random = of.random;
    this.#backoff = new Backoff(of.random);
    this.bars = new Bars(of.random);
    this.#state = { kind: "waiting", untilMonoMs: of.monoMs };
  }

  get state(): UplinkState {
    return this.#state;
  }

  /** Why it is not connected, or what is wrong with what it sends; empty when all is well. */
  get problem(): string {
    const barred = this.bars.problems;
    const shown = barred.slice(0, problemsShownMax).map(([id, why]) => `${projectOf(id)}: ${why}`);
    const more = barred.length - shown.length;
    if (more > 0) shown.push(`and ${more} more ledgers`);
    return [...(this.#problem === "" ? [] : [this.#problem]), ...shown].join("; ");
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
    if (this.#state.kind === "open") this.#state = { ...this.#state, heardAtMonoMs: monoMs };
    else
      this.#state = {
        kind: "open",
        heardAtMonoMs: monoMs,
        sinceMonoMs: monoMs,
        heartbeatMs: heartbeatIntervalMs,
        protocol: 0,
      };
  }

  /** Whether the parent has answered already. */
  get isWelcome(): boolean {
    return this.#state.kind === "open" && this.#state.protocol > 0;
  }

  /** What is wrong with a parent's welcome, if anything. */
  welcomed({ site, node, protocol, heartbeatMs }: Welcome): string | undefined {
    if (this.#state.kind !== "open") return undefined;
    if (protocol < 1 || protocol > protocolVersion)
      return `the parent answers in protocol ${protocol}; this node speaks 1 to ${protocolVersion}`;
    this.parent = { site, node };
    const expectedMs = Math.min(Math.max(heartbeatMs, 1_000), heartbeatIntervalMs * 4);
    this.#state = { ...this.#state, heartbeatMs: expectedMs, protocol };
    this.#problem = "";
    return undefined;
  }

  /** What is wrong with an offer, if anything. */
  offered({ ledger, outcome, hops }: Offer): string | undefined {
    if (ledger === undefined) return undefined;
    if (hops.length > hopsCountMax) return `hops: ${hops.length}, a way has ${hopsCountMax}`;
    if (hops.some(({ length }) => length > nodeIdBytesMax))
      return `hops: a node id longer than ${nodeIdBytesMax} bytes`;
    const id = ledgerId(ledger);
    this.#offers.set(id, { outcome, hops });
    this.bars.offered(id);
    return undefined;
  }

  /** Whether an offer of a ledger is one that was asked for: with the link, or anew. */
  isOfferDue(id: LedgerId): boolean {
    return !this.#offers.has(id) || this.bars.isAsked(id);
  }

  /** Whether a parent is to be given back a ledger, or its trust: once in a link, whatever it says. */
  mayGiveBack(what: "ledger" | "trust", id: LedgerId): boolean {
    const isFirst = !this.#returned.has(`${what} ${id}`);
    this.#returned.add(`${what} ${id}`);
    return isFirst;
  }

  /** A ledger that an offer was made of is not to be had from here for now. */
  barred(id: LedgerId): void {
    this.#offers.delete(id);
  }

  /** A frame that came to nothing; false when there are more of them than an honest parent sends. */
  idled(monoMs: number): boolean {
    return this.#idle.take("", monoMs);
  }

  /** An offer that was not asked for; false when there are more of them than an honest parent makes. */
  reoffered(monoMs: number): boolean {
    return this.#reoffers.take("", monoMs);
  }

  /** A parent of protocol 1 knows no other way to be asked anew, and is not asked so too often. */
  mayRedial(monoMs: number): boolean {
    const { kind } = this.#state;
    return kind === "open" && monoMs >= this.#state.sinceMonoMs + redialIntervalMs;
  }

  /** A frame was applied: the link is good, the next failure is the first again. */
  applied(): void {
    this.#backoff.reset();
    this.#problem = "";
  }

  /** The link has ended; it is dialled again after a while, or at once when it was good. */
  ended(why: string, monoMs: number): void {
    this.#offers.clear();
    this.#returned.clear();
    this.#problem = why;
    this.#state = { kind: "waiting", untilMonoMs: monoMs + this.#backoff.next() };
  }

  /**
   * The parent has ended the link and says when to come again. Many may have been told the same,
   * so each comes at a moment of its own in the half as long after that.
   */
  goodbye({ reason, retryAfterMs, message }: Goodbye, monoMs: number): void {
    const askedMs = Math.max(retryAfterMs, this.#takenMs(reason, monoMs));
    this.ended(goodbyeText(reason, message), monoMs);
    const waitMs = Math.min(askedMs, retryAfterMsMax) * (1 + this.#random.fraction() / 2);
    const untilMonoMs = monoMs + Math.ceil(waitMs);
    if (this.#state.kind === "waiting" && this.#state.untilMonoMs < untilMonoMs)
      this.#state = { kind: "waiting", untilMonoMs };
  }

  /** Two nodes with one data directory replace each other ever less often. */
  #takenMs(reason: string, monoMs: number): number {
    if (reason !== "REPLACED") return 0;
    const livedMs = this.#state.kind === "open" ? monoMs - this.#state.sinceMonoMs : 0;
    this.#replacedCount = livedMs > retryAfterMsMax ? 0 : this.#replacedCount + 1;
    return takenRetryMs * 2 ** Math.min(this.#replacedCount, 8);
  }

  /** Whether frames of a ledger are taken from here: not when they would have come through us. */
  takes(id: LedgerId): boolean {
    const offer = this.#offers.get(id);
    return offer !== undefined && !offer.hops.some((hop) => bytesEqual(hop, this.#nodeId));
  }

  serves(id: LedgerId): boolean {
    const outcome = this.#offers.get(id)?.outcome;
    return (
      this.takes(id) && !this.bars.isDeaf(id) && (outcome === "RESUME" || outcome === "SNAPSHOT")
    );
  }

  /** The parent is shown something that it holds less of. */
  shown(monoMs: number): void {
    this.#shownAtMonoMs = monoMs;
  }

  /** All that the parent says it holds less of, once in a while. */
  toShowAgain(monoMs: number): LedgerId[] {
    if (monoMs < this.#shownAtMonoMs + showAgainIntervalMs) return [];
    this.#shownAtMonoMs = monoMs;
    return [...this.#offers].flatMap(([id, { outcome }]) => (outcome === "BEHIND" ? id : []));
  }

  offerOf(id: LedgerId): HeldOffer | undefined {
    return this.#offers.get(id);
  }
}

/** Ledgers that one problem names. */
const problemsShownMax = 3;

function projectOf(id: LedgerId): string {
  return id.slice(0, id.indexOf("/"));
}

function goodbyeText(reason: string, message: string): string {
  const texts: Readonly<Record<string, string>> = {
    DRAIN: "the parent is stopping",
    OVERLOAD: "the parent is overloaded",
    REVOKED:
      "the parent has revoked this site's token, or it has expired; ask its operator for a new one",
    TERMINATED: "the parent has ended this link for good",
    REPLACED: "another node with this site's token and this node's name has connected",
    TAKEN:
      "another node with this site's token and this node's name is connected; each needs a HEADWATER_NAME of its own",
    PROTOCOL: "the parent does not speak this node's protocol",
  };
  const text = texts[reason] ?? `the parent has ended the link (${quoted(reason)})`;
  const said = message.replaceAll(/\p{Cc}+/gu, " ").slice(0, goodbyeLengthMax);
  return said === "" ? text : `${text}: ${said}`;
}
