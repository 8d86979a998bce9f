import { create } from "@bufbuild/protobuf";
import {
  type PeerAsk,
  type PeerMessage,
  PeerMessageSchema,
  type RecordDigests,
  type SignOfLife,
  SignOfLifeSchema,
  type SiteRecords,
} from "../../gen/headwater/v1/fanout_pb.ts";
import type { ProjectPin } from "../../gen/headwater/v1/mesh_pb.ts";
import { peerAskIntervalMs, peerIntervalMs } from "../cadence.ts";
import type { Effect } from "../effect.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { type LedgerId, ledgerId } from "../ledger/position.ts";
import { addressesCountMax, peersCountMax, projectsCountMax } from "../limits.ts";
import { SiteSeal } from "../site/site-seal.ts";
import type { Consents } from "../telemetry/consents.ts";
import type { Children } from "../trust/children.ts";
import { bytesEqual, type SigningKey } from "../trust/key.ts";
import type { Served } from "./downlink.ts";
import { holdingOf } from "./holding.ts";
import { framesAfter } from "./ledger-frames.ts";

/** What a node says of itself. */
interface Told {
  readonly writes: ReadonlySet<LedgerId>;
  readonly meshAddress: string;
}

interface Heard extends Told {
  readonly atMonoMs: number;
}

const nothingTold: Told = { writes: new Set(), meshAddress: "" };

/** A host name has 253 letters at most, and a port five. */
const addressLengthMax = 260;

/**
 * The other nodes of the site. What one learns it says to all; what one misses it asks of any.
 * Nothing said here is believed because a peer said it: frames are checked like those of a link,
 * pins are signed by the site's key.
 */
export class Peers {
  readonly #node: string;
  readonly seal: SiteSeal;
  readonly #meshAddress: string;
  readonly #heard = new Map<string, Heard>();
  #askedAtMonoMs = Number.NEGATIVE_INFINITY;
  #spokeAtMonoMs = Number.NEGATIVE_INFINITY;
  #mustAsk = true;
  #trialsAskedAtMonoMs = Number.NEGATIVE_INFINITY;
  #reportsCount = 0n;
  readonly #runMs: bigint;
  connected = false;
  problem = "";

  /** @param of.runMs when this node was started, by the wall clock */
  constructor(of: {
    node: string;
    siteKey: SigningKey;
    meshAddress?: string | undefined;
    runMs?: number;
  }) {
    this.#node = of.node;
    this.#runMs = BigInt(Math.floor(of.runMs ?? 0));
    this.seal = new SiteSeal(of.siteKey);
    this.#meshAddress = of.meshAddress ?? "";
  }

  get dueAtMonoMs(): number | undefined {
    if (!this.connected) return undefined;
    const speak = this.#spokeAtMonoMs + peerIntervalMs;
    return this.#mustAsk ? Math.min(speak, this.#askedAtMonoMs + peerAskIntervalMs) : speak;
  }

  /** Nodes heard within three intervals. */
  alive(monoMs: number): string[] {
    return [...this.#heard]
      .filter(([, { atMonoMs }]) => monoMs - atMonoMs <= 3 * peerIntervalMs)
      .map(([node]) => node)
      .sort();
  }

  /**
   * How many nodes come before this one when one of them has to do something for the site. Who is
   * alone, or hears nobody, is the first.
   */
  turn(monoMs: number): number {
    if (!this.connected) return 0;
    return this.alive(monoMs).filter((node) => node < this.#node).length;
  }

  /** The node that says it has a ledger's key, if one that lives says so. */
  writerOf(id: LedgerId, monoMs: number): string | undefined {
    return this.alive(monoMs).find((node) => this.#heard.get(node)?.writes.has(id));
  }

  /** These, then those of the other nodes that live: a child may dial any of the site. */
  addressesWith(own: readonly string[], monoMs: number): string[] {
    const others = this.alive(monoMs).map((node) => this.#heard.get(node)?.meshAddress ?? "");
    const known = new Set([...own, ...others.filter((address) => address !== "")]);
    return [...known].slice(0, addressesCountMax);
  }

  heard({ node, body }: PeerMessage, monoMs: number): void {
    const said = body.case === "alive" ? toldBy(body.value) : this.#heard.get(node);
    this.#heard.delete(node);
    this.#heard.set(node, { ...(said ?? nothingTold), atMonoMs: monoMs });
    const [oldest] = this.#heard.keys();
    if (this.#heard.size > peersCountMax && oldest !== undefined) this.#heard.delete(oldest);
  }

  /** Something is missing: asked for at the next chance, at most once a second. */
  ask(): void {
    this.#mustAsk = true;
  }

  /** This node was away: what trials have counted meanwhile it has not heard. */
  askAll(): void {
    this.#trialsAskedAtMonoMs = Number.NEGATIVE_INFINITY;
    this.ask();
  }

  /** Signs of life, and questions. */
  tick(of: {
    monoMs: number;
    ledgers: readonly Ledger[];
    /** Those of which this node has the key. */
    written: ReadonlySet<LedgerId>;
    /** Digest over the children that the site has. */
    children?: Uint8Array;
    /** Digest over what its operator discloses. */
    consents?: Uint8Array;
    /** What of documents, rollouts and trials is held here, trials only now and then. */
    records?: (withTrials: boolean) => RecordDigests;
    trialsEveryMs?: number;
  }): Effect[] {
    if (!this.connected) return [];
    const effects: Effect[] = [];
    if (of.monoMs - this.#spokeAtMonoMs >= peerIntervalMs) {
      this.#spokeAtMonoMs = of.monoMs;
      this.#mustAsk = true;
      effects.push(this.publish(this.#signOfLife(of)));
    }
    if (this.#mustAsk && of.monoMs - this.#askedAtMonoMs >= peerAskIntervalMs) {
      this.#askedAtMonoMs = of.monoMs;
      this.#mustAsk = false;
      const trialsEveryMs = Math.max(peerIntervalMs, of.trialsEveryMs ?? peerIntervalMs);
      const withTrials = of.monoMs - this.#trialsAskedAtMonoMs >= trialsEveryMs;
      if (withTrials) this.#trialsAskedAtMonoMs = of.monoMs;
      effects.push({
        kind: "ask-peer",
        ask: {
          holdings: of.ledgers.map(holdingOf),
          ...(of.children && { children: of.children }),
          ...(of.consents && { consents: of.consents }),
          ...(of.records && { records: of.records(withTrials) }),
        },
      });
    }
    return effects;
  }

  /** What became of the site's children. */
  tellChildren({ shared }: Pick<Children, "shared">): Effect[] {
    return this.seal.children(shared).map((body) => this.publish(body));
  }

  publish(body: PeerMessage["body"]): Effect {
    return { kind: "publish", message: this.#message(body) };
  }

  /** What an app has reported, or that it does not: counted, also where nobody can hear of it. */
  passOn(
    body: Extract<PeerMessage["body"], { case: "report" } | { case: "unreported" }>,
  ): Effect[] {
    this.#reportsCount++;
    return this.connected ? [this.publish(body)] : [];
  }

  /** What this node has that the asking one does not, in the order in which to apply it. */
  answer(
    ask: PeerAsk,
    of: {
      readonly holdings: {
        readonly pins: readonly ProjectPin[];
        readonly served: ReadonlyMap<LedgerId, Served>;
      };
      readonly children: Pick<Children, "shared" | "digest">;
      readonly telemetry: { readonly consents: Pick<Consents, "shared" | "digest"> } | undefined;
    },
    records: Iterable<SiteRecords> = [],
  ): PeerMessage[] {
    const { pins, served } = of.holdings;
    const { children } = of;
    const { consents } = of.telemetry ?? {};
    const asked = new Map(
      ask.holdings.flatMap((holding) =>
        holding.ledger === undefined ? [] : [[ledgerId(holding.ledger), holding] as const],
      ),
    );
    const isMissingPins = pins.some(({ project, authority: own, overlays }) =>
      [own, ...overlays].some((authority) => !asked.has(ledgerId({ project, authority }))),
    );
    const frames = [...served].flatMap(([id, one]) => {
      const holding = asked.get(id);
      return holding === undefined ? [] : framesAfter(one, holding);
    });
    return [
      ...(lacks(ask.childrenDigest, children)
        ? this.seal.children(children.shared).map((body) => this.#message(body))
        : []),
      ...(consents !== undefined && lacks(ask.consentsDigest, consents)
        ? [this.#message(this.seal.consents(consents.shared))]
        : []),
      ...(isMissingPins ? [this.#message(this.seal.pins(pins))] : []),
      ...frames.map((value) => this.#message({ case: "frame", value })),
      ...Array.from(records, (one) => this.#message(this.seal.records(one))),
    ];
  }

  #signOfLife(of: {
    ledgers: readonly Ledger[];
    written: ReadonlySet<LedgerId>;
  }): PeerMessage["body"] {
    const names = of.ledgers.flatMap(({ id, name }) => (of.written.has(id) ? name : []));
    const writes = names.map(({ authority, project }) => ({ authority, project }));
    const meshAddress = this.#meshAddress;
    return { case: "alive", value: create(SignOfLifeSchema, { writes, meshAddress }) };
  }

  #message(body: PeerMessage["body"]): PeerMessage {
    const [runMs, reportsCount] = [this.#runMs, this.#reportsCount];
    const message = create(PeerMessageSchema, { node: this.#node, runMs, reportsCount });
    message.body = body;
    return message;
  }
}

function toldBy({ writes, meshAddress }: SignOfLife): Told {
  return {
    writes: new Set(writes.slice(0, projectsCountMax).map(ledgerId)),
    meshAddress: meshAddress.length > addressLengthMax ? "" : meshAddress,
  };
}

function lacks(theirs: Uint8Array, { digest: ours }: { readonly digest: Uint8Array }): boolean {
  return ours.length > 0 && !bytesEqual(theirs, ours);
}
