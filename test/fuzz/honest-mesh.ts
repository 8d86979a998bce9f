import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { CensusSchema, LibrarySchema } from "../../gen/headwater/v1/flag_pb.ts";
import { BeatSchema, EnvelopeSchema, HeadSchema } from "../../gen/headwater/v1/ledger_pb.ts";
import { ProjectPinSchema } from "../../gen/headwater/v1/mesh_pb.ts";
import { dayMs } from "../../relay/cadence.ts";
import type { StoredRecord } from "../../relay/durable.ts";
import type { Ledger } from "../../relay/ledger/ledger.ts";
import { LedgerFrames } from "../../relay/link/ledger-frames.ts";
import { deriveSecret, SigningKey, toHex } from "../../relay/trust/key.ts";
import { Authority, contentOf, type Entries, epochMs, seedOf } from "../relay/authority.ts";
import { encoded, hear, upstreamSettings } from "../relay/child-node.ts";
import {
  aliasEntry,
  crashEntry,
  featureEntry,
  flagEntry,
  releaseEntries,
  ruleEntry,
} from "../relay/layers/entries.ts";
import { SteppedNode } from "../relay/stepped-node.ts";
import { Broken } from "./target.ts";

export const project = "horizon";
export const signature: string = "ab".repeat(16);

const vendor = new Authority({ name: "vendor" });

/** Who writes the project; its vendor may pin, and name builds. */
export const upstream: Authority = new Authority({
  powers: [
    {
      case: "overlay",
      value: { authority: vendor.id, flags: ["*"], pinBasisPointsMax: 10_000, aliases: true },
    },
  ],
});

/** The key of the site that all nodes of tests belong to. */
export const siteKey: SigningKey = new SigningKey(
  deriveSecret({ secret: seedOf("site"), purpose: "site key" }),
);

const library = create(LibrarySchema, { project: "oslo", authority: upstream.id });
const census = create(CensusSchema, {
  kind: "flag",
  name: "alpha",
  openedMs: BigInt(epochMs),
  windowMs: BigInt(30 * dayMs),
});

/** One entry of each kind at least. */
export const ownEntries: Entries = {
  ...releaseEntries("1.0", "2.0", "2.1"),
  ...featureEntry("live-migration"),
  ...crashEntry(signature),
  ...aliasEntry("2.0-el9", "2.0"),
  ...flagEntry("alpha", { basisPoints: 700, versions: ">=2.0", note: "see the release notes" }),
  ...flagEntry("beta", {
    kill: { versions: "<2.0" },
    rollout: [
      { versions: "<2.1", basisPoints: 100 },
      { versions: "*", basisPoints: 9_999 },
    ],
  }),
  "library/oslo": toBinary(LibrarySchema, library),
  "census/flag.alpha": toBinary(CensusSchema, census),
};

export const overlayEntries: Entries = {
  ...ruleEntry("alpha", { case: "cap", value: { basisPoints: 500, versions: "*" } }, "QA"),
  ...ruleEntry("*", { case: "kill", value: { versions: "=1.0" } }),
  ...ruleEntry("beta", { case: "pin", value: { basisPoints: 50 } }),
  ...aliasEntry("2.0-acme", "2.0"),
};

const changes: readonly Entries[] = [
  flagEntry("alpha", { basisPoints: 1_000 }),
  { ...flagEntry("gamma", { basisPoints: 1 }), "flag/beta": undefined },
  flagEntry("gamma", { basisPoints: 10_000, kill: { versions: "*" } }),
];

/** What an honest parent says of both ledgers, in order, and all that was ever signed. */
class HonestMesh {
  readonly frames: Uint8Array[] = [];
  /** Where the frames about changes begin. */
  readonly changesFrom: number;
  /** What ledgers hold, by the payload of their head. */
  readonly #contents = new Map<string, string>();
  readonly #signed = new Set<string>();

  constructor() {
    const own = upstream.ledger(ownEntries);
    const overlay = vendor.ledger(overlayEntries);
    for (const ledger of [own, overlay]) {
      const frames = new LedgerFrames(ledger);
      this.#note(ledger);
      this.frames.push(frames.trust()!, ...frames.snapshot()!.frames);
    }
    this.frames.push(this.#beats(own, overlay, 1));
    this.changesFrom = this.frames.length;
    for (const [step, change] of changes.entries()) {
      const from = own.position!;
      upstream.commit(own, change, epochMs + step + 1);
      this.#note(own);
      this.frames.push(new LedgerFrames(own).delta(from)!, this.#beats(own, overlay, step + 2));
    }
    for (const { trust } of [upstream, vendor])
      for (const { payload } of [...trust.roots, ...trust.grants]) this.#sign(payload);
  }

  /** Whether something was signed by whoever may. */
  isSigned(payload: Uint8Array): boolean {
    return this.#signed.has(toHex(payload));
  }

  /** What a ledger with this head holds; undefined for a head that nobody has signed. */
  contentAt(headPayload: Uint8Array): string | undefined {
    return this.#contents.get(toHex(headPayload));
  }

  #sign(payload: Uint8Array): void {
    this.#signed.add(toHex(payload));
  }

  #note(ledger: Ledger): void {
    this.#contents.set(
      toHex(ledger.head!.envelope.payload),
      JSON.stringify([...contentOf(ledger)]),
    );
  }

  #beats(own: Ledger, overlay: Ledger, afterMs: number): Uint8Array {
    const beats = [upstream, vendor].map(({ id, writer }, index) => {
      const beat = writer.beat(index === 0 ? own : overlay, epochMs + afterMs)!;
      this.#sign(beat.envelope.payload);
      return { ledger: { authority: id, project }, beat: beat.envelope };
    });
    return encoded("heartbeat", { beats });
  }
}

export const mesh: HonestMesh = new HonestMesh();

export const pin = create(ProjectPinSchema, {
  project,
  authority: upstream.id,
  overlays: [vendor.id],
});

/** A node of the site below the honest parent, which has heard so many of its frames. */
export function childAfter(framesCount: number): SteppedNode {
  const child = new SteppedNode({
    upstreams: [upstreamSettings],
    pins: [pin],
    disclosure: "EXACT",
  });
  child.wait(0);
  for (const frame of mesh.frames.slice(0, framesCount)) hear(child, frame);
  return child;
}

/** The same node again, from what it has stored. */
export function reborn(child: SteppedNode): SteppedNode {
  const again = new SteppedNode(child.settings);
  for (const [key, record] of child.stored) again.stored.set(key, { ...record });
  again.wallMs = child.wallMs;
  again.restart();
  return again;
}

/** Whoever has no key of the two authorities can not bring about anything else than they signed. */
export function assertTrusted({ stored }: SteppedNode): void {
  const records = [...stored.values()];
  const own = records.filter(({ key }) => [upstream, vendor].some(({ id }) => isOf(key, id)));
  for (const record of own) assertSigned(record, records);
}

function isOf(key: string, authority: Uint8Array): boolean {
  return key.includes(toHex(authority));
}

function assertSigned({ bucket, key, value }: StoredRecord, all: readonly StoredRecord[]): void {
  if (bucket !== "head" && bucket !== "beat") return;
  const { payload } = fromBinary(EnvelopeSchema, value);
  if (bucket === "beat") {
    if (!mesh.isSigned(payload))
      throw new Broken(`a beat that nobody signed: ${fromBinary(BeatSchema, payload).issuedMs}`);
    return;
  }
  const content = mesh.contentAt(payload);
  if (content === undefined)
    throw new Broken(`a head that nobody signed: ${fromBinary(HeadSchema, payload).position?.seq}`);
  const entries = all
    .filter((one) => one.bucket === "entry" && one.key.startsWith(`${key} `))
    .map((one): [string, string] => [
      one.key.slice(key.length + 1),
      Buffer.from(one.value).toString("hex"),
    ])
    .sort(([a], [b]) => (a < b ? -1 : 1));
  if (JSON.stringify(entries) !== content)
    throw new Broken("entries that are not those of their head");
}

/** The same of what a node serves, whatever is on its disk. */
export function assertServed({ node: { reads }, wallMs }: SteppedNode): void {
  for (const { id } of [upstream, vendor]) {
    const held = reads.ledger({ project, authority: id }, wallMs);
    if (!held.ok || held.value.head === undefined) continue;
    const entries = held.value.entries
      .map(({ key, value }): [string, string] => [key, Buffer.from(value).toString("hex")])
      .sort(([a], [b]) => (a < b ? -1 : 1));
    if (mesh.contentAt(held.value.head.payload) !== JSON.stringify(entries))
      throw new Broken("a ledger is served that nobody signed");
  }
}
