import { create } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { ConfirmRequestSchema } from "../../../gen/headwater/v1/mesh_pb.ts";
import { heartbeatIntervalMs, takenRetryMs } from "../../../relay/cadence.ts";
import type { Effect } from "../../../relay/effect.ts";
import type { Ledger } from "../../../relay/ledger/ledger.ts";
import { childrenCountMax } from "../../../relay/limits.ts";
import { protocolVersion } from "../../../relay/link/protocol.ts";
import { Authority, contentOf } from "../authority.ts";
import { frameOf, kindsOf, Mirror } from "./mirror.ts";
import { nodeId, Parent, sendsOf } from "./parent.ts";

const authority = new Authority();
const other = new Authority({ project: "oslo" });

describe("a child that has nothing", () => {
  test("gets a welcome at once, then the offer, trust, a snapshot and beats, in that order", () => {
    const parent = new Parent(authority.ledger());
    parent.beat();
    const child = new Mirror(authority);
    const frames = parent.open(1, child);
    expect(kindsOf(frames)).toEqual([
      "welcome",
      "SNAPSHOT",
      "trustUpdate",
      "snapshotBegin",
      "snapshotChunk",
      "snapshotEnd",
      "heartbeat",
    ]);
    expect(child.hearAll(frames)).toEqual([
      "partial",
      "partial",
      "trust",
      "partial",
      "partial",
      "change",
      "beats",
    ]);
    expect(child.ledger.position).toEqual(parent.ledger.position);
    expect(frameOf(frames[1]!)).toMatchObject({ value: { hops: [nodeId] } });
  });

  test("gets the very bytes that another gets: they are encoded once (I7)", () => {
    const parent = new Parent(authority.ledger());
    const [a, b] = [1, 2].map((id) => parent.open(id, new Mirror(authority), `node-${id}`));
    for (const at of [2, 3, 4, 5]) expect(a![at]).toBe(b![at]);
    parent.commit(1);
    const sent = parent.pump();
    expect(sent.get(1)![0]).toBe(sent.get(2)![0]);
  });
});

describe("an offer", () => {
  test("of what is held already is to resume, and nothing is sent again", () => {
    const parent = new Parent(authority.ledger());
    const child = new Mirror(authority);
    child.hearAll(parent.open(1, child));
    expect(kindsOf(parent.open(2, child))).toEqual(["welcome", "RESUME"]);
    parent.commit(1);
    parent.commit(2);
    const frames = parent.open(3, child);
    expect(kindsOf(frames)).toEqual(["welcome", "RESUME", "delta"]);
    child.hearAll(frames);
    expect(contentOf(child.ledger)).toEqual(contentOf(parent.ledger));
  });

  test("is EMPTY where nothing is verified yet, and comes again when that changes (I6)", () => {
    const parent = new Parent(authority.emptyLedger());
    const child = new Mirror(authority);
    expect(kindsOf(parent.open(1, child))).toEqual(["welcome", "EMPTY"]);
    parent.commit(1);
    expect(kindsOf(parent.pump().get(1)!).slice(0, 3)).toEqual([
      "SNAPSHOT",
      "trustUpdate",
      "snapshotBegin",
    ]);
  });

  test("is BEHIND to a child that is ahead, never silence, and that is sent nothing (I3)", () => {
    const ahead = new Parent(authority.ledger());
    ahead.commit(1);
    const child = new Mirror(authority);
    child.hearAll(ahead.open(1, child));
    const behind = new Parent(authority.ledger());
    behind.beat();
    expect(kindsOf(behind.open(1, child))).toEqual(["welcome", "BEHIND"]);
    behind.ledger.restore(restoreOf(ahead.ledger));
    expect(kindsOf(behind.pump().get(1)!)).toEqual(["RESUME"]);
  });

  test("is DENIED for what is not served here", () => {
    const parent = new Parent(authority.ledger());
    const child = new Mirror(other, authority);
    const frames = parent.open(1, child);
    expect(kindsOf(frames).slice(0, 3)).toEqual(["welcome", "DENIED", "SNAPSHOT"]);
    child.hearAll(frames);
    expect(child.ledger.position).toBeUndefined();
  });

  test("comes again when the way here has changed", () => {
    const parent = new Parent(authority.ledger());
    const child = new Mirror(authority);
    parent.open(1, child);
    parent.hops = [new TextEncoder().encode("root...."), nodeId];
    const [frame] = parent.pump().get(1)!;
    expect(frameOf(frame!)).toMatchObject({ value: { hops: parent.hops } });
    expect(parent.pump().get(1)).toBeUndefined();
  });
});

describe("a link", () => {
  test("that is silent gets a sign of life, one that is not does not", () => {
    const parent = new Parent(authority.ledger());
    parent.open(1, new Mirror(authority));
    expect(parent.links.dueAtMonoMs).toBe(heartbeatIntervalMs);
    expect(parent.links.tick(heartbeatIntervalMs - 1)).toEqual([]);
    const [frame] = sendsOf(parent.links.tick(heartbeatIntervalMs)).get(1)!;
    expect(frameOf(frame!)).toMatchObject({ case: "heartbeat", value: { beats: [] } });
    expect(parent.links.tick(heartbeatIntervalMs + 1)).toEqual([]);
    expect(parent.links.dueAtMonoMs).toBe(2 * heartbeatIntervalMs);
  });

  test("that is silent gets what it lacks rather than a sign of life, had anything been missed", () => {
    const parent = new Parent(authority.ledger());
    const child = new Mirror(authority);
    parent.flushAll(1, parent.open(1, child));
    parent.commit(1);
    expect(kindsOf(sendsOf(parent.links.tick(heartbeatIntervalMs)).get(1)!)).toEqual(["delta"]);
  });

  test("of a node that dials again replaces its former one, whose end means nothing then (I16)", () => {
    const parent = new Parent(authority.ledger());
    const child = new Mirror(authority);
    parent.open(1, child);
    const effects = parent.links.open({ id: 2, site: "site", request: child.request(), monoMs: 0 });
    expect(goodbyesOf(effects)).toEqual(["1 REPLACED"]);
    expect(effects).toContainEqual({ kind: "close", link: 1 });
    parent.links.closed(1);
    parent.commit(1);
    expect([...parent.pump().keys()]).toEqual([2]);
  });

  test("of another node stays when one of its name comes, which is told so (I16)", () => {
    const parent = new Parent(authority.ledger());
    const [first, second] = ["first...", "second.."].map((id) => new TextEncoder().encode(id));
    const open = (id: number, nodeId: Uint8Array, monoMs: number) => {
      const request = { ...new Mirror(authority).request(), nodeId };
      return parent.links.open({ id, site: "site", request, monoMs });
    };
    open(1, first!, 0);
    parent.links.flushed({ link: 1, framesCount: 99, bytes: 1e9 }, 0);
    const effects = open(2, second!, 10);
    expect(goodbyesOf(effects)).toEqual(["2 TAKEN"]);
    const [goodbye] = sendsOf(effects).get(2)!;
    expect(frameOf(goodbye!)).toMatchObject({ value: { retryAfterMs: takenRetryMs } });
    expect(parent.links.links.map(({ id }) => id)).toEqual([1]);
    // The same node again, and another once the first takes nothing any more.
    expect(goodbyesOf(open(3, first!, 20))).toEqual(["1 REPLACED"]);
    expect(goodbyesOf(open(4, second!, 20 + 2 * heartbeatIntervalMs))).toEqual(["3 REPLACED"]);
  });

  test("of another node, or another site's node of that name, stays", () => {
    const parent = new Parent(authority.ledger());
    parent.open(1, new Mirror(authority), "a");
    parent.open(2, new Mirror(authority), "b");
    const request = new Mirror(authority).request({ node: "a" });
    expect(goodbyesOf(parent.links.open({ id: 3, site: "other", request, monoMs: 0 }))).toEqual([]);
    expect(parent.links.links).toHaveLength(3);
  });

  test("ends with its site's token, and says so (I15)", () => {
    const parent = new Parent(authority.ledger());
    parent.open(1, new Mirror(authority), "a");
    parent.open(2, new Mirror(authority), "b");
    const request = new Mirror(authority).request();
    parent.links.open({ id: 3, site: "other", request, monoMs: 0 });
    const effects = parent.links.end([1, 2, 99], "REVOKED");
    expect(goodbyesOf(effects)).toEqual(["1 REVOKED", "2 REVOKED"]);
    expect(parent.links.links.map(({ id }) => id)).toEqual([3]);
  });

  test("of no protocol that is spoken here is refused", () => {
    const parent = new Parent(authority.ledger());
    const request = new Mirror(authority).request({ protocol: 0 });
    const effects = parent.links.open({ id: 1, site: "site", request, monoMs: 0 });
    expect(goodbyesOf(effects)).toEqual(["1 PROTOCOL"]);
    const newer = new Mirror(authority).request({ protocol: 7 });
    const [welcome] = sendsOf(
      parent.links.open({ id: 2, site: "site", request: newer, monoMs: 0 }),
    ).get(2)!;
    expect(frameOf(welcome!)).toMatchObject({
      case: "welcome",
      value: { protocol: protocolVersion },
    });
  });

  test("past the number that a node has is told when to come again (I14)", () => {
    const parent = new Parent(authority.ledger());
    const request = new Mirror().request();
    const open = (id: number) =>
      parent.links.open({ id, site: `site-${id}`, request: { ...request }, monoMs: 0 });
    for (let id = 1; id <= childrenCountMax; id++) open(id);
    const effects = open(0);
    expect(goodbyesOf(effects)).toEqual(["0 OVERLOAD"]);
    const [goodbye] = sendsOf(effects).get(0)!;
    expect(frameOf(goodbye!)).toMatchObject({ value: { retryAfterMs: expect.any(Number) } });
    expect(parent.links.links).toHaveLength(childrenCountMax);
  });

  test("says what its child has confirmed, of ledgers that it has asked for only", () => {
    const parent = new Parent(authority.ledger());
    const child = new Mirror(authority);
    const frames = parent.open(1, child);
    const [link] = parent.links.links;
    expect(link!.positions).toMatchObject([{ position: undefined }]);
    child.hearAll(frames);
    const { holdings } = new Mirror(other).request();
    const confirmed = [...child.request().holdings, ...holdings];
    const request = create(ConfirmRequestSchema, { node: "node", holdings: confirmed });
    expect(parent.links.confirmed("site", request, 0)).toEqual({ ok: true, value: [] });
    expect(link!.positions).toMatchObject([{ position: { seq: 1 } }]);
  });
});

function restoreOf(ledger: Ledger): Parameters<Ledger["restore"]>[0] {
  const entries = [...ledger.entries].map(([key, { value }]) => ({ key, value }));
  return { head: ledger.head!, entries, steps: [] };
}

function goodbyesOf(effects: readonly Effect[]): string[] {
  return effects.flatMap((effect) => {
    if (effect.kind !== "send") return [];
    const frame = frameOf(effect.frame);
    return frame.case === "goodbye" ? [`${effect.link} ${frame.value.reason}`] : [];
  });
}
