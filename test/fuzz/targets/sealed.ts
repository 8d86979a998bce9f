import { create, toBinary } from "@bufbuild/protobuf";
import {
  type PeerMessage,
  PeerMessageSchema,
  SiteChildrenSchema,
  SiteConsentsSchema,
  SitePinsSchema,
  SiteRecordsSchema,
} from "../../../gen/headwater/v1/fanout_pb.ts";
import {
  BeatSchema,
  GrantSchema,
  HeadSchema,
  RootSchema,
} from "../../../gen/headwater/v1/ledger_pb.ts";
import { CredentialSchema, ReplicateRequestSchema } from "../../../gen/headwater/v1/mesh_pb.ts";
import type { Happening } from "../../../nodes/access.ts";
import { dayMs } from "../../../relay/cadence.ts";
import { type PayloadType, payloadType, seal } from "../../../relay/trust/envelope.ts";
import type { SigningKey } from "../../../relay/trust/key.ts";
import { epochMs, keyOf } from "../../relay/authority.ts";
import { renewedEvery } from "../busy-node.ts";
import { readEverything } from "../every-read.ts";
import { pin, project, siteKey, upstream } from "../honest-mesh.ts";
import { assertEffects } from "../refusals.ts";
import type { Target } from "../target.ts";
import { encodeWire } from "../wire-tree.ts";
import { documentSeeds } from "./documents.ts";
import { unbundled } from "./frames.ts";

const ledger = { authority: upstream.id, project };
const word = { ledger: { authority: upstream.id, project } };

type Body = PeerMessage["body"];

function peerSays(body: Body): Happening {
  const message = create(PeerMessageSchema, { node: "n2" });
  message.body = body;
  return { kind: "peer-spoke", message };
}

function parentSays(value: object, kind: string): Happening {
  return {
    kind: "upstream-frame",
    upstream: "openstack",
    frame: { $typeName: "headwater.v1.ReplicateResponse", frame: { case: kind, value } },
  } as unknown as Happening;
}

type Sealed = ReturnType<typeof seal>;

/** What is signed, by whom, and how it comes in. */
const doors: readonly {
  readonly type: PayloadType;
  readonly key: SigningKey;
  readonly as: (envelope: Sealed) => Happening;
}[] = [
  {
    type: payloadType.root,
    key: upstream.rootKey,
    as: (one) =>
      parentSays({ ledger, trust: { roots: [upstream.root, one], grants: [] } }, "trustUpdate"),
  },
  {
    type: payloadType.grant,
    key: upstream.rootKey,
    as: (one) =>
      parentSays({ ledger, trust: { roots: [upstream.root], grants: [one] } }, "trustUpdate"),
  },
  {
    type: payloadType.head,
    key: upstream.writer.ledgerKey,
    as: (head) =>
      parentSays(
        { ledger, head, entriesCount: 1, entriesBytes: 10n, chunksCount: 1 },
        "snapshotBegin",
      ),
  },
  {
    type: payloadType.beat,
    key: upstream.writer.beatKey,
    as: (beat) => parentSays({ beats: [{ ...word, beat }] }, "heartbeat"),
  },
  {
    type: payloadType.credential,
    key: siteKey,
    as: (credential) => ({
      kind: "child-opened",
      link: 9,
      peer: { by: "credential", credential },
      request: create(ReplicateRequestSchema, { protocol: 2, node: "c9", holdings: [{ ledger }] }),
    }),
  },
  { type: payloadType.sitePins, key: siteKey, as: (value) => peerSays({ case: "pins", value }) },
  {
    type: payloadType.siteChildren,
    key: siteKey,
    as: (value) => peerSays({ case: "children", value }),
  },
  {
    type: payloadType.siteConsents,
    key: siteKey,
    as: (value) => peerSays({ case: "consents", value }),
  },
  {
    type: payloadType.siteRecords,
    key: siteKey,
    as: (value) => peerSays({ case: "records", value }),
  },
];

const atMs = BigInt(epochMs);
const arm = { instances: 40, unwell: 3, failed: 1, halfIntervals: 80n };
const records = create(SiteRecordsSchema, {
  sent: [{ atMs, upstream: "openstack", outcome: "ACCEPTED", document: documentSeeds[0] }],
  received: documentSeeds.map((document) => ({ child: "plant", atMs, document })),
  rollouts: [{ project, flag: "alpha", state: "RUNNING", plan: { steps: [{ basisPoints: 100 }] } }],
  trials: [
    {
      project,
      kind: "RELEASE",
      name: "2.0",
      against: "1.0",
      startedMs: atMs,
      looksCount: 1,
      subject: arm,
      control: arm,
      looks: [arm],
      members: new Uint8Array(21).fill(7),
    },
  ],
});

/** The payloads as they are in life, by the number of their door. */
const payloads: readonly Uint8Array[] = [
  toBinary(
    RootSchema,
    create(RootSchema, {
      project,
      version: 2,
      threshold: 1,
      keys: [upstream.rootKey.publicKey, keyOf("next").publicKey],
    }),
  ),
  toBinary(
    GrantSchema,
    create(GrantSchema, {
      authority: upstream.id,
      rootVersion: 1,
      power: { case: "ledgerKey", value: { term: 2, key: keyOf("two").publicKey, follows: 9 } },
      expiresMs: 2n * atMs,
    }),
  ),
  toBinary(
    HeadSchema,
    create(HeadSchema, {
      ledger,
      position: { term: 1, seq: 9, digest: new Uint8Array(32) },
      prevHeadHash: new Uint8Array(32),
      entriesCount: 1,
      issuedMs: atMs,
    }),
  ),
  toBinary(
    BeatSchema,
    create(BeatSchema, { headHash: new Uint8Array(32), issuedMs: atMs, expiresMs: atMs + 99_999n }),
  ),
  toBinary(
    CredentialSchema,
    create(CredentialSchema, {
      child: "plant",
      id: new Uint8Array(16),
      expiresMs: 2n * atMs,
      projects: [project],
    }),
  ),
  toBinary(SitePinsSchema, create(SitePinsSchema, { pins: [{ ...pin, project: "oslo" }] })),
  toBinary(
    SiteChildrenSchema,
    create(SiteChildrenSchema, {
      children: [
        { name: "plant", id: new Uint8Array(16), addedMs: atMs, expiresMs: 0n, revoked: true },
      ],
    }),
  ),
  toBinary(
    SiteConsentsSchema,
    create(SiteConsentsSchema, {
      consents: [{ upstream: "openstack", level: "ROUNDED", sinceMs: atMs, saidMs: atMs }],
    }),
  ),
  toBinary(SiteRecordsSchema, records),
];

function numbered(index: number, bytes: Uint8Array): Uint8Array {
  return encodeWire([{ field: index + 1, value: { kind: "bytes", bytes } }]);
}

/** What was signed with the right key, and makes no sense: its holder is mad, or is not its owner. */
export const sealed: Target = {
  name: "sealed",
  form: "wire",
  share: 4,
  seeds: () => [
    ...payloads.map((bytes, index) => numbered(index, bytes)),
    new Uint8Array(Buffer.concat(payloads.map((bytes, index) => numbered(index, bytes)))),
  ],
  open: () => {
    const nodeNow = renewedEvery(48);
    let n = 0;
    return (input) => {
      const node = nodeNow();
      let toldCount = 0;
      for (const { field, bytes } of unbundled(input)) {
        const door = doors[field - 1];
        if (door === undefined) continue;
        const envelope = seal({ type: door.type, payload: bytes, keys: [door.key] });
        toldCount += node.tell(door.as(envelope)).length;
      }
      if (n++ % 16 === 0) {
        assertEffects(node.wait(dayMs));
        readEverything(node);
        node.restart();
        node.wait(0);
        readEverything(node);
      }
      return toldCount > 0 ? "accepted" : "refused";
    };
  },
};
