import { create, toBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import {
  BeatSchema,
  type Envelope,
  HeadSchema,
  TrustSchema,
} from "../../gen/headwater/v1/ledger_pb.ts";
import {
  HoldingSchema,
  JoinTokenSchema,
  OfferSchema,
  ProjectPinSchema,
  ReplicateRequestSchema,
  type ReplicateResponse,
  ReplicateResponseSchema,
} from "../../gen/headwater/v1/mesh_pb.ts";
import { openBeat, openHead } from "../../relay/ledger/head.ts";
import { Ledger } from "../../relay/ledger/ledger.ts";
import { SnapshotAssembly } from "../../relay/ledger/snapshot.ts";
import {
  addressesCountMax,
  assembliesCountMax,
  entryBytesMax,
  entryKeyLengthMax,
  goodbyeLengthMax,
  grantsCountMax,
  headBytesMax,
  holdingsCountMax,
  hopsCountMax,
  layersCountMax,
  ledgerBytesMax,
  ledgerEntriesMax,
  nodeIdBytesMax,
  projectsCountMax,
  rootKeysCountMax,
  rootsCountMax,
  signaturesCountMax,
  trustBytesMax,
} from "../../relay/limits.ts";
import { Inbox } from "../../relay/link/inbox.ts";
import { holdingsProblem, requestProblem } from "../../relay/link/request-problem.ts";
import { Uplink } from "../../relay/link/uplink.ts";
import { Random } from "../../relay/random.ts";
import { isSealedBy, type PayloadType, payloadType, seal } from "../../relay/trust/envelope.ts";
import { formatToken, parseToken, pinProblem } from "../../relay/trust/join-token.ts";
import type { SigningKey } from "../../relay/trust/key.ts";
import { extendTrust } from "../../relay/trust/trusted.ts";
import { Authority, epochMs, keyOf, type Power, refusalOf, sealedRoot } from "./authority.ts";

const authority = new Authority();
const judge = { trusted: authority.trusted, wallMs: epochMs };

function staged(entry: { key: string; value: Uint8Array }): string {
  return refusalOf(authority.emptyLedger().stage({ entries: [entry], tombstones: [] }));
}

/** A snapshot that says to be larger than any. */
function begun(of: { entriesCount?: number; entriesBytes?: bigint }): string {
  const ledger = authority.ledger();
  const begin = {
    $typeName: "headwater.v1.SnapshotBegin" as const,
    head: ledger.head!.envelope,
    entriesCount: ledger.entries.size,
    entriesBytes: BigInt(ledger.bytes),
    chunksCount: 1,
    ...of,
  };
  return refusalOf(SnapshotAssembly.open(authority.emptyLedger(), begin, judge));
}

function holdings(count: number): ReturnType<typeof create<typeof HoldingSchema>>[] {
  const ledger = { authority: authority.id, project: "horizon" };
  return Array.from({ length: count }, () => create(HoldingSchema, { ledger }));
}

function requested(of: { nodeId?: Uint8Array; node?: string; count?: number }): string {
  const { count = 0, node = "n", ...more } = of;
  const request = { protocol: 2, node, ...more, holdings: holdings(count) };
  return requestProblem(create(ReplicateRequestSchema, request)) ?? "";
}

function tokenProblem(of: { addresses?: string[]; pinsCount?: number }): string {
  const { addresses = ["a:1"], pinsCount = 1 } = of;
  const pins = Array.from({ length: pinsCount }, (_, n) => ({
    project: `p-${n}`,
    authority: authority.id,
  }));
  const credential = { payloadType: "", payload: new Uint8Array(0) };
  const token = create(JoinTokenSchema, { site: "s", addresses, pins, credential });
  return refusalOf(parseToken(formatToken(token)));
}

function offered(hops: Uint8Array[]): string {
  const absent = { certificate: undefined, credential: undefined, projects: undefined };
  const settings = { id: "up", addresses: ["a:1"], ...absent };
  const uplink = new Uplink({
    settings,
    nodeId: new Uint8Array(8),
    random: new Random(1),
    monoMs: 0,
  });
  const ledger = { authority: authority.id, project: "horizon" };
  return uplink.offered(create(OfferSchema, { ledger, outcome: "RESUME", hops })) ?? "";
}

/** More snapshots at once than an honest parent sends. */
function assembled(): string {
  const authorities = Array.from(
    { length: assembliesCountMax + 1 },
    (_, n) => new Authority({ project: `p-${n}` }),
  );
  const ledgers = authorities.map((one) => one.emptyLedger());
  const inbox = new Inbox(new Map(ledgers.map((ledger) => [ledger.id, ledger])));
  const outcomes = authorities.map((one) => {
    const ledger = one.ledger();
    const value = {
      ledger: { authority: one.id, project: one.project },
      head: ledger.head!.envelope,
      entriesCount: ledger.entries.size,
      entriesBytes: BigInt(ledger.bytes),
      chunksCount: 1,
    };
    const frame = create(ReplicateResponseSchema, { frame: { case: "snapshotBegin", value } });
    return refusalOf(inbox.hear(frame.frame as ReplicateResponse["frame"], epochMs));
  });
  expect(outcomes.slice(0, -1).join("")).toBe("");
  return outcomes.at(-1) ?? "";
}

function trusted(of: { roots?: number; keys?: number; grants?: number }): string {
  const { roots = 1, keys = 1, grants = 0 } = of;
  const signers = Array.from({ length: keys }, (_, n) => keyOf(`limits ${n}`));
  const root = sealedRoot({ project: "horizon", version: 1, keys: signers, signers });
  const trust = {
    ...authority.trust,
    roots: keys > 1 ? [root] : Array.from({ length: roots }, () => authority.root),
    grants: Array.from({ length: grants }, (_, n) =>
      authority.grant({ case: "beatKey", value: { key: keyOf(`beat ${n}`).publicKey } }),
    ),
  };
  const name = { authority: authority.id, project: "horizon" };
  return refusalOf(extendTrust(name, undefined, trust));
}

/** A payload of the authority's own with a field that no version knows, and too large. */
function stuffed(of: "head" | "beat" | "grant"): string {
  const $unknown = [{ no: 99, wireType: 2, data: stuffing }];
  const { beatKey, ledgerKey } = authority.writer;
  const name = { authority: authority.id, project: "horizon" };
  const sealed = (key: SigningKey, type: PayloadType, payload: Uint8Array): Envelope =>
    seal({ type, payload, keys: [key] });
  const ledger = authority.ledger();
  if (of === "head") {
    const payload = toBinary(HeadSchema, { ...ledger.head!.head, $unknown });
    return refusalOf(openHead(sealed(ledgerKey, payloadType.head, payload), name, judge));
  }
  if (of === "beat") {
    const { beat } = authority.writer.beat(ledger, epochMs)!;
    const payload = toBinary(BeatSchema, { ...beat, $unknown });
    return refusalOf(openBeat(sealed(beatKey, payloadType.beat, payload), judge));
  }
  const power: Power = { case: "overlay", value: { authority: authority.id, flags: manyFlags } };
  const trust = create(TrustSchema, { grants: [authority.grant(power)] });
  return refusalOf(extendTrust(name, authority.trusted, trust));
}

const stuffing = Buffer.concat([Buffer.from([0x80, 0x20]), Buffer.alloc(headBytesMax)]);
const manyFlags = Array.from({ length: trustBytesMax / 64 }, (_, n) => String(n).padStart(63, "f"));

/** Past each bound: what is said, which names the field. */
const cases: readonly [string, () => string, RegExp][] = [
  [
    "entryBytesMax",
    () => staged({ key: "flag/a", value: new Uint8Array(entryBytesMax + 1) }),
    /^limit: flag\/a: 16385 bytes, 16384 are allowed/,
  ],
  [
    "entryKeyLengthMax",
    () => staged({ key: `flag/${"a".repeat(entryKeyLengthMax)}`, value: new Uint8Array(0) }),
    /^limit: entry key: longer than 128/,
  ],
  ["ledgerEntriesMax", () => begun({ entriesCount: ledgerEntriesMax + 1 }), /entries_count/],
  ["ledgerBytesMax", () => begun({ entriesBytes: BigInt(ledgerBytesMax) + 1n }), /entries_bytes/],
  ["assembliesCountMax", assembled, /^limit: snapshot_begin: more than 4 at once/],
  ["nodeIdBytesMax", () => requested({ nodeId: new Uint8Array(nodeIdBytesMax + 1) }), /^node_id: /],
  ["a node's name", () => requested({ node: "a".repeat(101) }), /^node: not a name/],
  ["holdingsCountMax", () => requested({ count: holdingsCountMax + 1 }), /^holdings: 8001, /],
  [
    "holdingsCountMax, asked anew",
    () => holdingsProblem("again", holdings(holdingsCountMax + 1)) ?? "",
    /^again: 8001, /,
  ],
  [
    "hopsCountMax",
    () => offered(Array.from({ length: hopsCountMax + 1 }, () => new Uint8Array(8))),
    /^hops: 33, /,
  ],
  ["nodeIdBytesMax, in a way", () => offered([new Uint8Array(nodeIdBytesMax + 1)]), /^hops: /],
  [
    "addressesCountMax",
    () => tokenProblem({ addresses: Array<string>(addressesCountMax + 1).fill("a:1") }),
    /^invalid: token: has 17 addresses/,
  ],
  [
    "projectsCountMax",
    () => tokenProblem({ pinsCount: projectsCountMax + 1 }),
    /token: names more than 1000 projects/,
  ],
  [
    "layersCountMax",
    () => {
      const overlays = Array.from({ length: layersCountMax }, (_, n) => new Uint8Array(32).fill(n));
      return (
        pinProblem(create(ProjectPinSchema, { project: "p", authority: authority.id, overlays })) ??
        ""
      );
    },
    /^p: more than 8 layers/,
  ],
  ["rootsCountMax", () => trusted({ roots: rootsCountMax + 1 }), /^limit: roots: more than 64/],
  ["rootKeysCountMax", () => trusted({ keys: rootKeysCountMax + 1 }), /roots: 17 keys, 1 to 16/],
  ["headBytesMax", () => stuffed("head"), /^limit: head: more than 4096 bytes/],
  ["headBytesMax, of a beat", () => stuffed("beat"), /^limit: beat: more than 4096 bytes/],
  ["trustBytesMax", () => stuffed("grant"), /^limit: roots, grants: \d+ bytes, 524288/],
  [
    "grantsCountMax",
    () => trusted({ grants: grantsCountMax + 1 }),
    /^limit: grants: more than 256/,
  ],
];

test.each(cases)("past %s it is refused, and the field is named", (_, attempt, says) => {
  expect(attempt()).toMatch(says);
});

test("an envelope with more signatures than signaturesCountMax is not looked at", () => {
  const key = keyOf("many");
  const payload = new Uint8Array(1);
  const envelope = seal({ type: payloadType.head, payload, keys: [key] });
  const keys = [key.publicKey];
  expect(isSealedBy({ envelope, type: payloadType.head, keys, threshold: 1 })).toBe(true);
  const [first] = envelope.signatures;
  envelope.signatures = Array.from({ length: signaturesCountMax + 1 }, () => first!);
  expect(isSealedBy({ envelope, type: payloadType.head, keys, threshold: 1 })).toBe(false);
});

test("a ledger takes nothing from what is refused", () => {
  const ledger = new Ledger({ authority: authority.id, project: "horizon" });
  const entries = [{ key: "flag/a", value: new Uint8Array(entryBytesMax + 1) }];
  expect(ledger.stage({ entries, tombstones: [] }).ok).toBe(false);
  expect(ledger.entries.size).toBe(0);
  expect(goodbyeLengthMax).toBeLessThan(1_000);
});
