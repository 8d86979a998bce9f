import { create, toBinary } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import {
  PeerAskSchema,
  type PeerMessage,
  PeerMessageSchema,
} from "../../../gen/headwater/v1/fanout_pb.ts";
import { TrustSchema } from "../../../gen/headwater/v1/ledger_pb.ts";
import { ProjectPinSchema } from "../../../gen/headwater/v1/mesh_pb.ts";
import { peerAskIntervalMs, peerIntervalMs } from "../../../relay/cadence.ts";
import type { Ledger } from "../../../relay/ledger/ledger.ts";
import type { LedgerId } from "../../../relay/ledger/position.ts";
import {
  addressesCountMax,
  childrenPerMessageMax,
  peerMessageBytesMax,
  peersCountMax,
  tokensCountMax,
} from "../../../relay/limits.ts";
import type { Served } from "../../../relay/link/downlink.ts";
import { holdingOf } from "../../../relay/link/holding.ts";
import { encodeFrame, LedgerFrames } from "../../../relay/link/ledger-frames.ts";
import { Peers } from "../../../relay/link/peers.ts";
import { Consents } from "../../../relay/telemetry/consents.ts";
import { Children } from "../../../relay/trust/children.ts";
import { extendTrust } from "../../../relay/trust/trusted.ts";
import { Authority, contentOf, epochMs, keyOf, sealedRoot, valueOf } from "../authority.ts";
import { Mirror } from "./mirror.ts";

const authority = new Authority();
const pin = create(ProjectPinSchema, { project: "horizon", authority: authority.id });

describe("an answer", () => {
  test("brings the asking node to what this one has: trust, entries and beat", () => {
    const ledger = authority.ledger();
    ledger.beat = authority.writer.beat(ledger, epochMs + 1)!;
    const child = new Mirror(authority);
    child.hearAll(framesOf(answerTo(ledger, [child.ledger])));
    expect(contentOf(child.ledger)).toEqual(contentOf(ledger));
    expect(child.ledger.beat?.issuedMs).toBe(epochMs + 1);
  });

  test("is a delta where that will do, and says nothing of what is known", () => {
    const ledger = authority.ledger();
    const child = new Mirror(authority);
    child.hearAll(framesOf(answerTo(ledger, [child.ledger])));
    expect(answerTo(ledger, [child.ledger])).toEqual([]);
    authority.commit(ledger, { "flag/a": Buffer.from("1") });
    const kinds = answerTo(ledger, [child.ledger]).map((one) =>
      one.body.case === "frame" ? one.body.value.frame.case : one.body.case,
    );
    expect(kinds).toEqual(["delta"]);
  });

  test("has nothing for a node that is ahead, but what is newer of other ledgers", () => {
    const behind = authority.ledger();
    const ahead = authority.ledger();
    authority.commit(ahead, { "flag/a": Buffer.from("1") });
    expect(answerTo(behind, [ahead])).toEqual([]);
  });

  test("sends no beat that is about another head than the one it sends", () => {
    const ledger = authority.ledger();
    ledger.beat = authority.writer.beat(ledger, epochMs + 50)!;
    // The writer's clock was set back by 40 ms.
    authority.commit(ledger, { "flag/a": Buffer.from("1") }, epochMs + 10);
    const child = new Mirror(authority);
    const heard = child.hearAll(framesOf(answerTo(ledger, [child.ledger])));
    expect(heard).not.toContain("resync");
    expect(contentOf(child.ledger)).toEqual(contentOf(ledger));
  });

  test("hands on no head whose grant has ended with its root, which would be refused there", () => {
    const ledger = authority.ledger();
    ledger.beat = authority.writer.beat(ledger, epochMs + 1)!;
    const { project, rootKey } = authority;
    const keys = { keys: [rootKey], signers: [rootKey] };
    const rotation = create(TrustSchema, { roots: [sealedRoot({ project, version: 2, ...keys })] });
    ledger.trusted = valueOf(extendTrust(ledger.name, ledger.trusted, rotation));
    const child = new Mirror(authority);
    expect(child.hearAll(framesOf(answerTo(ledger, [child.ledger])))).toEqual(["trust"]);
  });

  test("brings all children that there may be, in messages that are taken", () => {
    const told = new Children(keyOf("site").publicKey, []);
    const of = { name: "a".repeat(100), addedMs: epochMs, expiresMs: epochMs + 1 };
    for (let n = 0; n < tokensCountMax; n++)
      told.accept(valueOf(told.prepare({ ...of, id: Buffer.from(String(n).padStart(16)) })));
    const holdings = { pins: [], served: new Map() };
    const telemetry = { consents: new Consents("OFF", new Map()) };
    const ask = create(PeerAskSchema, { node: "n2" });
    const messages = connected().answer(ask, { holdings, children: told, telemetry });
    expect(messages).toHaveLength(Math.ceil(tokensCountMax / childrenPerMessageMax));
    for (const message of messages)
      expect(toBinary(PeerMessageSchema, message).length).toBeLessThan(peerMessageBytesMax);
    const { seal } = new Peers({ node: "n2", siteKey: keyOf("site") });
    const heard = new Children(keyOf("site").publicKey, []);
    for (const { body } of messages)
      if (body.case === "children")
        for (const record of heard.heard(seal.openChildren(body.value))) heard.accept(record);
    expect(heard.digest).toEqual(told.digest);
  });

  test("tells of pins that the asking node does not have, and of no ledger it did not ask for", () => {
    const ledger = authority.ledger();
    const kinds = answerTo(ledger, []).map(({ body }) => body.case);
    expect(kinds).toEqual(["pins"]);
  });
});

describe("a node with peers", () => {
  test("gives a sign of life and asks at every interval, and sooner when something is missing", () => {
    const peers = connected();
    expect(kindsAt(peers, 0)).toEqual(["publish", "ask-peer"]);
    expect(peers.dueAtMonoMs).toBe(peerIntervalMs);
    expect(kindsAt(peers, peerIntervalMs - 1)).toEqual([]);
    expect(kindsAt(peers, peerIntervalMs)).toEqual(["publish", "ask-peer"]);
    peers.ask();
    peers.ask();
    expect(peers.dueAtMonoMs).toBe(peerIntervalMs + peerAskIntervalMs);
    expect(kindsAt(peers, peerIntervalMs + peerAskIntervalMs - 1)).toEqual([]);
    expect(kindsAt(peers, peerIntervalMs + peerAskIntervalMs)).toEqual(["ask-peer"]);
    expect(kindsAt(peers, peerIntervalMs + peerAskIntervalMs)).toEqual([]);
  });

  test("is silent while it is not connected", () => {
    const peers = new Peers({ node: "n1", siteKey: keyOf("site") });
    expect([kindsAt(peers, 0), peers.dueAtMonoMs]).toEqual([[], undefined]);
  });

  test("knows who was heard within three intervals, and forgets the longest unheard of many", () => {
    const peers = connected();
    const heard = (node: string, atMs: number) =>
      peers.heard(create(PeerMessageSchema, { node }), atMs);
    heard("b", 0);
    heard("a", 1);
    expect(peers.alive(3 * peerIntervalMs)).toEqual(["a", "b"]);
    expect(peers.alive(3 * peerIntervalMs + 1)).toEqual(["a"]);
    for (let n = 0; n < 10_000; n++) heard(`n-${n}`, 2);
    expect(peers.alive(3).length).toBeLessThanOrEqual(1000);
    expect(peers.alive(3)).toContain("n-9999");
  });
});

function connected(): Peers {
  const peers = new Peers({ node: "n1", siteKey: keyOf("site") });
  peers.connected = true;
  return peers;
}

function kindsAt(peers: Peers, monoMs: number): string[] {
  return peers.tick({ monoMs, ledgers: [], written: new Set() }).map(({ kind }) => kind);
}

function answerTo(ledger: Ledger, held: readonly Ledger[]): PeerMessage[] {
  const served = new Map<LedgerId, Served>([
    [ledger.id, { ledger, frames: new LedgerFrames(ledger), hops: [] }],
  ]);
  const ask = create(PeerAskSchema, { node: "n2", holdings: held.map(holdingOf) });
  const children = new Children(keyOf("site").publicKey, []);
  const telemetry = { consents: new Consents("OFF", new Map()) };
  return connected().answer(ask, { holdings: { pins: [pin], served }, children, telemetry });
}

function framesOf(messages: readonly PeerMessage[]): Uint8Array[] {
  return messages.flatMap(({ body }) =>
    body.case === "frame" ? encodeFrame(body.value.frame) : [],
  );
}

describe("what a node says of itself", () => {
  const ledger = authority.ledger();
  const saying = (node: string, of: { writes: boolean; meshAddress: string }): PeerMessage => {
    const peers = new Peers({ node, siteKey: keyOf("site"), meshAddress: of.meshAddress });
    peers.connected = true;
    const written = new Set(of.writes ? [ledger.id] : []);
    const [effect] = peers.tick({ monoMs: peerIntervalMs, ledgers: [ledger], written });
    if (effect?.kind !== "publish") throw new Error("it says nothing");
    return effect.message;
  };

  test("tells where to commit, and where else children find the site, while it lives", () => {
    const peers = new Peers({ node: "n1", siteKey: keyOf("site") });
    peers.heard(saying("n2", { writes: false, meshAddress: "n2:1" }), 0);
    peers.heard(saying("n3", { writes: true, meshAddress: "n3:1" }), 0);
    expect(peers.writerOf(ledger.id, 1)).toBe("n3");
    expect(peers.addressesWith(["n1:1"], 1)).toEqual(["n1:1", "n2:1", "n3:1"]);
    // What else it says does not make that forgotten.
    peers.heard(create(PeerMessageSchema, { node: "n3" }), 3 * peerIntervalMs);
    expect(peers.writerOf(ledger.id, 4 * peerIntervalMs)).toBe("n3");
    expect(peers.addressesWith(["n1:1"], 4 * peerIntervalMs)).toEqual(["n1:1", "n3:1"]);
    expect(peers.writerOf(ledger.id, 10 * peerIntervalMs)).toBeUndefined();
  });

  test("is bounded", () => {
    const peers = new Peers({ node: "n1", siteKey: keyOf("site") });
    for (let n = 0; n < 2 * peersCountMax; n++)
      peers.heard(saying(`n${n}`, { writes: true, meshAddress: `n${n}:1` }), 0);
    expect(peers.alive(1)).toHaveLength(peersCountMax);
    expect(peers.addressesWith(["n1:1"], 1)).toHaveLength(addressesCountMax);
    peers.heard(saying("long", { writes: true, meshAddress: `${"x".repeat(300)}:1` }), 0);
    expect(peers.addressesWith([], 1).some((address) => address.length > 260)).toBe(false);
  });
});
