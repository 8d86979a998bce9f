import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  type PeerAsk,
  type PeerMessage,
  PeerMessageSchema,
  type SignOfLife,
  SignOfLifeSchema,
  type SiteChild,
  SiteChildrenSchema,
  SitePinsSchema,
} from "../../gen/headwater/v1/fanout_pb.ts";
import type { Envelope } from "../../gen/headwater/v1/ledger_pb.ts";
import type { ProjectPin } from "../../gen/headwater/v1/mesh_pb.ts";
import { peerAskIntervalMs, peerIntervalMs } from "../cadence.ts";
import type { Effect } from "../effect.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { type LedgerId, ledgerId } from "../ledger/position.ts";
import { addressesCountMax, peersCountMax, projectsCountMax } from "../limits.ts";
import type { Children } from "../trust/children.ts";
import { isSealedBy, payloadType, seal } from "../trust/envelope.ts";
import { pinProblem } from "../trust/join-token.ts";
import { bytesEqual, type SigningKey } from "../trust/key.ts";
import type { Served } from "./downlink.ts";
import { framesAfter } from "./ledger-frames.ts";
import { holdingOf } from "./uplinks.ts";

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
  readonly #siteKey: SigningKey;
  readonly #meshAddress: string;
  readonly #heard = new Map<string, Heard>();
  #askedAtMonoMs = Number.NEGATIVE_INFINITY;
  #spokeAtMonoMs = Number.NEGATIVE_INFINITY;
  #mustAsk = true;
  connected = false;
  problem = "";

  constructor(of: { node: string; siteKey: SigningKey; meshAddress?: string | undefined }) {
    this.#node = of.node;
    this.#siteKey = of.siteKey;
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

  /** Signs of life, and questions. */
  tick(of: {
    monoMs: number;
    ledgers: Iterable<Ledger>;
    /** Those of which this node has the key. */
    written: ReadonlySet<LedgerId>;
    /** Digest over the children that the site has. */
    children?: Uint8Array;
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
      effects.push({
        kind: "ask-peer",
        ask: {
          holdings: [...of.ledgers].map(holdingOf),
          ...(of.children && { children: of.children }),
        },
      });
    }
    return effects;
  }

  publish(body: PeerMessage["body"]): Effect {
    return { kind: "publish", message: this.#message(body) };
  }

  pins(pins: readonly ProjectPin[]): PeerMessage["body"] {
    const payload = toBinary(SitePinsSchema, create(SitePinsSchema, { pins: [...pins] }));
    const value = seal({ type: payloadType.sitePins, payload, keys: [this.#siteKey] });
    return { case: "pins", value };
  }

  children(children: readonly SiteChild[]): PeerMessage["body"] {
    const message = create(SiteChildrenSchema, { children: [...children] });
    const payload = toBinary(SiteChildrenSchema, message);
    const value = seal({ type: payloadType.siteChildren, payload, keys: [this.#siteKey] });
    return { case: "children", value };
  }

  /** The children that the site's own key has signed; none otherwise. */
  openChildren(envelope: Envelope): readonly SiteChild[] {
    const keys = [this.#siteKey.publicKey];
    if (!isSealedBy({ envelope, type: payloadType.siteChildren, keys, threshold: 1 })) return [];
    try {
      return fromBinary(SiteChildrenSchema, envelope.payload).children;
    } catch {
      return [];
    }
  }

  /** The pins that the site's own key has signed; none otherwise. */
  openPins(envelope: Envelope): readonly ProjectPin[] {
    const keys = [this.#siteKey.publicKey];
    if (!isSealedBy({ envelope, type: payloadType.sitePins, keys, threshold: 1 })) return [];
    try {
      const { pins } = fromBinary(SitePinsSchema, envelope.payload);
      return pins.filter((pin) => pinProblem(pin) === undefined).slice(0, projectsCountMax);
    } catch {
      return [];
    }
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
    },
  ): PeerMessage[] {
    const { pins, served } = of.holdings;
    const { children } = of;
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
      ...(lacksChildren(ask, children) ? [this.#message(this.children(children.shared))] : []),
      ...(isMissingPins ? [this.#message(this.pins(pins))] : []),
      ...frames.map((value) => this.#message({ case: "frame", value })),
    ];
  }

  #signOfLife(of: {
    ledgers: Iterable<Ledger>;
    written: ReadonlySet<LedgerId>;
  }): PeerMessage["body"] {
    const names = [...of.ledgers].flatMap(({ id, name }) => (of.written.has(id) ? name : []));
    const writes = names.map(({ authority, project }) => ({ authority, project }));
    const meshAddress = this.#meshAddress;
    return { case: "alive", value: create(SignOfLifeSchema, { writes, meshAddress }) };
  }

  #message(body: PeerMessage["body"]): PeerMessage {
    const message = create(PeerMessageSchema, { node: this.#node });
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

function lacksChildren(
  { childrenDigest }: PeerAsk,
  children: Pick<Children, "shared" | "digest">,
): boolean {
  const ours = children.digest;
  return ours.length > 0 && !bytesEqual(childrenDigest, ours);
}
