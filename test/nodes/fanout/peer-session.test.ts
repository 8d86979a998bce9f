import { create, toBinary } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import {
  type PeerAsk,
  type PeerMessage,
  PeerMessageSchema,
} from "../../../gen/headwater/v1/fanout_pb.ts";
import { type Holding, HoldingSchema } from "../../../gen/headwater/v1/mesh_pb.ts";
import { maxPayloadMin } from "../../../nodes/fanout/part.ts";
import { siteSubjects } from "../../../nodes/fanout/site-subjects.ts";
import { peerIntervalMs } from "../../../relay/cadence.ts";
import { frameBytesMax, peerAnswersMax, peerMessageBytesMax } from "../../../relay/limits.ts";
import { eventually } from "./eventually.ts";
import { startedServer } from "./nats-server.ts";
import {
  connected,
  connectedPeer,
  openPeer,
  reasons,
  saying,
  siteKey,
  stranger,
  words,
} from "./peer.ts";

describe("nodes that share a NATS", { timeout: 60_000 }, () => {
  test("a message reaches every other node of the site, and nobody else", async (context) => {
    const server = await startedServer(context);
    const a = await connectedPeer(server, "a");
    const b = await connectedPeer(server, "b");
    const c = await connectedPeer(server, "c");
    const other = await connectedPeer(server, "x", { siteKey: new Uint8Array(32).fill(2) });
    a.fanout.publish(saying("a", "1"));
    b.fanout.publish(saying("b", "2"));
    other.fanout.publish(saying("x", "3"));
    await eventually(() => expect(words(c).toSorted()).toEqual(["a 1", "b 2"]));
    // What c says comes after all that it has heard.
    c.fanout.publish(saying("c", "end"));
    await eventually(() => expect(words(a)).toEqual(["b 2", "c end"]));
    await eventually(() => expect(words(b)).toEqual(["a 1", "c end"]));
    expect(words(c)).toHaveLength(2);
    expect(words(other)).toEqual([]);
  });

  test("an ask is answered by one other node, never by the one that asks", async (context) => {
    const server = await startedServer(context);
    const a = await connectedPeer(server, "a");
    const others = [await connectedPeer(server, "b"), await connectedPeer(server, "c")];
    a.access.answerWith = () => [saying("a", "to myself")];
    for (const { access } of others) access.answerWith = () => [saying("other", "answer")];
    const asksCount = 40;
    const projects = Array.from({ length: asksCount }, (_, index) => `p${index}`);
    for (const [index, project] of projects.entries()) {
      a.fanout.ask({ holdings: [holding(project)] });
      await eventually(() => expect(words(a)).toHaveLength(index + 1));
    }
    expect(new Set(words(a))).toEqual(new Set(["other answer"]));
    expect(a.access.asks).toEqual([]);
    const asks = others.flatMap(({ access }) => access.asks);
    expect(asks).toHaveLength(asksCount);
    expect(new Set(asks.flatMap(projectsOf))).toEqual(new Set(projects));
    expect(new Set(asks.map(({ node }) => node))).toEqual(new Set(["a"]));
    // Of 40 even choices all fall on one side once in 2^39 times.
    expect(others.map(({ access }) => access.asks.length > 0)).toEqual([true, true]);
  });

  test("the answer goes to the node that asks alone", async (context) => {
    const server = await startedServer(context);
    const a = await connectedPeer(server, "a");
    const b = await connectedPeer(server, "b");
    const c = await connectedPeer(server, "c");
    for (const { access } of [b, c]) access.answerWith = () => [saying("other", "answer")];
    a.fanout.ask({ holdings: [] });
    await eventually(() => expect(words(a)).toEqual(["other answer"]));
    a.fanout.publish(saying("a", "end"));
    for (const peer of [b, c]) await eventually(() => expect(words(peer)).toEqual(["a end"]));
  });

  test("a large answer comes in pieces that the server takes, in order", async (context) => {
    const server = await startedServer(context);
    const a = await connectedPeer(server, "a");
    const b = await connectedPeer(server, "b");
    // Above what may be in flight, so that the answer has to wait for room.
    const messages = Array.from({ length: 400 }, (_, index) => saying("b", `${index}`, 64 * 1024));
    b.access.answerWith = () => messages;
    a.fanout.ask({ holdings: [] });
    await eventually(() => expect(a.access.spoken).toHaveLength(messages.length));
    expect(words(a)).toEqual(
      words({ ...a, access: Object.assign(a.access, { spoken: messages }) }),
    );
    expect(b.log).toEqual([]);
  });

  test("a frame above the server's limit arrives whole, told or answered", async (context) => {
    const server = await startedServer(context, `max_payload: ${maxPayloadMin}`);
    const a = await connectedPeer(server, "a");
    const b = await connectedPeer(server, "b");
    const large = saying("b", "large", frameBytesMax);
    b.access.answerWith = () => [saying("b", "before"), large, saying("b", "after")];
    b.fanout.publish(large);
    await eventually(() => expect(words(a)).toEqual(["b large"]));
    a.fanout.ask({ holdings: [] });
    await eventually(() => expect(words(a)).toEqual(["b large", "b before", "b large", "b after"]));
    for (const index of [0, 2])
      expect(encoded(a.access.spoken[index]).equals(encoded(large))).toBe(true);
  });

  test("an ask of many holdings is divided among asks, as no peer gets all parts", async (context) => {
    const server = await startedServer(context, `max_payload: ${maxPayloadMin}`);
    const a = await connectedPeer(server, "a");
    const others = [await connectedPeer(server, "b"), await connectedPeer(server, "c")];
    const projects = Array.from({ length: 800 }, (_, index) => `p${index}`);
    const asked = (): Set<string | undefined> =>
      new Set(others.flatMap(({ access }) => access.asks.flatMap(projectsOf)));
    // More at once than are answered are dropped, and asked again like everything that is lost.
    await eventually(() => {
      a.fanout.ask({ holdings: projects.map(holding) });
      expect(asked()).toEqual(new Set(projects));
    });
    expect(others.flatMap(reasons)).not.toContain("unreadable");
    expect(reasons(a)).toEqual([]);
  });

  test("a peer that can not answer costs one ask", async (context) => {
    const server = await startedServer(context);
    const a = await connectedPeer(server, "a");
    const b = await connectedPeer(server, "b");
    b.access.answerWith = () => Promise.reject(new Error("on purpose"));
    a.fanout.ask({ holdings: [] });
    await eventually(() => expect(reasons(b)).toEqual(["not-answered"]));
    b.access.answerWith = () => [saying("b", "answer")];
    a.fanout.ask({ holdings: [] });
    await eventually(() => expect(words(a)).toEqual(["b answer"]));
  });

  test("no more asks are answered at once than the bound", async (context) => {
    const server = await startedServer(context);
    const a = await connectedPeer(server, "a");
    const b = await connectedPeer(server, "b");
    const answer = Promise.withResolvers<readonly PeerMessage[]>();
    b.access.answerWith = () => answer.promise;
    for (let count = 0; count < peerAnswersMax + 1; count++) a.fanout.ask({ holdings: [] });
    await eventually(() => expect(reasons(b)).toEqual(["too-many-asks"]));
    expect(b.access.asks).toHaveLength(peerAnswersMax);
    answer.resolve([saying("b", "answer")]);
    await eventually(() => expect(words(a)).toHaveLength(peerAnswersMax));
    a.fanout.ask({ holdings: [] });
    await eventually(() => expect(words(a)).toHaveLength(peerAnswersMax + 1));
  });

  test("what is no message is counted and dropped", async (context) => {
    const server = await startedServer(context, `max_payload: ${peerMessageBytesMax * 2}`);
    const a = await connectedPeer(server, "a");
    const b = await connectedPeer(server, "b");
    const { frames } = siteSubjects(siteKey);
    const someone = await stranger(server);
    for (let count = 0; count < 4; count++) someone.publish(frames, "\u{1f4a5} no protobuf");
    // Reads as a message, but one of nobody.
    someone.publish(frames, new Uint8Array());
    someone.publish(frames, toBinary(PeerMessageSchema, saying("x", "x", peerMessageBytesMax)));
    await someone.flush();
    b.fanout.publish(saying("b", "end"));
    await eventually(() => expect(words(a)).toEqual(["b end"]));
    expect(a.log.map(({ fields }) => `${fields?.["reason"]} ${fields?.["count"]}`)).toEqual([
      "unreadable 1",
      "unreadable 2",
      "unreadable 4",
      "too-large 1",
    ]);
    expect(a.access.changes).toEqual([{ connected: true, problem: "" }]);
  });

  test("who has a name that no node can have is not heard", async (context) => {
    const server = await startedServer(context);
    const a = await connectedPeer(server, "a");
    const b = await connectedPeer(server, "b");
    const { frames } = siteSubjects(siteKey);
    const someone = await stranger(server);
    for (const name of ["x".repeat(500_000), "x\ny", "x y"])
      someone.publish(frames, toBinary(PeerMessageSchema, saying(name, "hello")));
    await someone.flush();
    b.fanout.publish(saying("b", "end"));
    await eventually(() => expect(words(a)).toContain("b end"));
    expect(words(a)).toEqual(["b end"]);
    expect(reasons(a)).toEqual(["unreadable", "unreadable"]);
  });

  test("what is kept of a message does not keep more alive than the message", async (context) => {
    const server = await startedServer(context);
    const a = await connectedPeer(server, "a");
    const b = await connectedPeer(server, "b");
    const message = saying("b", "small", 100);
    for (let count = 0; count < 100; count++) b.fanout.publish(message);
    await eventually(() => expect(a.access.spoken).toHaveLength(100));
    for (const { body } of a.access.spoken)
      expect(body.case === "pins" && body.value.payload.buffer.byteLength).toBe(
        toBinary(PeerMessageSchema, message).length,
      );
  });

  test("a handler that fails does not make the node deaf", async (context) => {
    const server = await startedServer(context);
    const a = await connectedPeer(server, "a");
    const b = await connectedPeer(server, "b");
    a.access.onSpoken = () => {
      throw new Error("on purpose");
    };
    b.fanout.publish(saying("b", "1"));
    b.fanout.publish(saying("b", "2"));
    await eventually(() => expect(words(a)).toEqual(["b 1", "b 2"]));
    expect(a.log).toMatchObject([
      { level: "warn", fields: { reason: "not-handled", why: "on purpose", count: 1 } },
      { level: "warn", fields: { reason: "not-handled", why: "on purpose", count: 2 } },
    ]);
  });

  test("a message that no peer would take is not sent", async (context) => {
    const server = await startedServer(context);
    const a = await connectedPeer(server, "a");
    const b = await connectedPeer(server, "b");
    a.fanout.publish(saying("a", "giant", peerMessageBytesMax));
    a.fanout.publish(saying("a", "small"));
    await eventually(() => expect(words(b)).toEqual(["a small"]));
    expect(reasons(a)).toEqual(["too-large"]);
    expect(b.log).toEqual([]);
  });

  test("a server that takes too little says so, and is sent nothing, until it takes more", async (context) => {
    const server = await startedServer(context, `max_payload: ${maxPayloadMin - 1}`);
    const [a, b] = [openPeer(server, "a"), openPeer(server, "b")];
    for (const { access } of [a, b])
      await eventually(() => expect(access.state?.connected).toBe(true));
    a.fanout.publish(saying("a", "large", frameBytesMax));
    const problem: unknown = expect.stringContaining("set its max_payload to 16384 or more");
    expect(a.access.state).toEqual({ connected: true, problem });
    await server.stop();
    await server.start();
    await Promise.all([connected(a), connected(b)]);
    a.fanout.publish(saying("a", "small"));
    await eventually(() => expect(words(b)).toEqual(["a small"]));
  });

  test("two nodes of one name are told so", async (context) => {
    const server = await startedServer(context);
    const one = await connectedPeer(server, "same");
    const other = await connectedPeer(server, "same");
    const third = await connectedPeer(server, "third");
    // What an earlier connection of one's own left behind comes at once.
    one.fanout.publish(saying("same", "early"));
    await eventually(() => expect(words(third)).toEqual(["same early"]));
    other.access.monoMs += peerIntervalMs + 1;
    third.fanout.publish(saying("third", "between"));
    await eventually(() => expect(words(other)).toEqual(["third between"]));
    expect(other.access.state).toEqual({ connected: true, problem: "" });
    one.fanout.publish(saying("same", "late"));
    await eventually(() =>
      expect(other.access.state).toEqual({
        connected: true,
        problem: expect.stringContaining("another node of this site calls itself same too"),
      }),
    );
    expect(words(other)).toEqual(["third between"]);
  });
});

function holding(project: string): Holding {
  return create(HoldingSchema, { ledger: { authority: new Uint8Array(32), project } });
}

function projectsOf({ holdings }: PeerAsk): (string | undefined)[] {
  return holdings.map(({ ledger }) => ledger?.project);
}

function encoded(message: PeerMessage | undefined): Buffer {
  return Buffer.from(toBinary(PeerMessageSchema, message ?? create(PeerMessageSchema)));
}
