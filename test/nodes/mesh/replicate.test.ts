import { create, toBinary } from "@bufbuild/protobuf";
import { expect, test, vi } from "vitest";
import { EnvelopeSchema } from "../../../gen/headwater/v1/ledger_pb.ts";
import {
  ReplicateRequestSchema,
  ReplicateResponseSchema,
} from "../../../gen/headwater/v1/mesh_pb.ts";
import { openMeshServer } from "../../../nodes/mesh/server.ts";
import { heartbeatIntervalMs } from "../../../relay/cadence.ts";
import { frameBytesMax } from "../../../relay/limits.ts";
import { eventually, type FakeNode, fakeTimeouts } from "./fake-node.ts";
import {
  callStalled,
  closing,
  dialTo,
  frameNumber,
  indexOf,
  openChild,
  openParent,
  upstream,
} from "./mesh-pair.ts";

const whenOpened = async (node: FakeNode, count = 1): Promise<number> =>
  (await node.nth("child-opened", count)).link;

test("frames arrive byte for byte, those of a newer protocol too", async () => {
  const parent = await openParent();
  const child = openChild();
  child.client.dial(dialTo(parent));
  const link = await whenOpened(parent.node);
  // Field 2000, which this protocol does not have.
  const unknown = Buffer.concat([frameNumber(2), Buffer.from("827d036e6577", "hex")]);
  const frames = [frameNumber(1), unknown, new Uint8Array(), frameNumber(3)];
  for (const frame of frames) parent.server.send(link, frame);
  await child.node.nth("upstream-frame", frames.length);
  const heard = child.node.all("upstream-frame");
  expect(heard.map(({ frame }) => Buffer.from(toBinary(ReplicateResponseSchema, frame)))).toEqual(
    frames.map((frame) => Buffer.from(frame)),
  );
  expect(heard.every((happening) => happening.upstream === upstream)).toBe(true);
});

test("bytes of a frame are plain bytes, no buffers", async () => {
  const parent = await openParent();
  const child = openChild();
  child.client.dial(dialTo(parent));
  const link = await whenOpened(parent.node);
  const welcome = { case: "welcome", value: { nodeId: Uint8Array.of(1, 2, 3) } } as const;
  const frame = create(ReplicateResponseSchema, { frame: welcome });
  parent.server.send(link, toBinary(ReplicateResponseSchema, frame));
  expect((await child.node.nth("upstream-frame")).frame.frame.value).toMatchObject({
    nodeId: Uint8Array.of(1, 2, 3),
  });
});

test("the largest frame passes", async () => {
  const parent = await openParent();
  const child = openChild();
  child.client.dial(dialTo(parent));
  const link = await whenOpened(parent.node);
  const entries = [{ key: "flag/large", value: new Uint8Array(frameBytesMax) }];
  const value = { index: 1, entries };
  const frame = create(ReplicateResponseSchema, { frame: { case: "snapshotChunk", value } });
  parent.server.send(link, toBinary(ReplicateResponseSchema, frame));
  expect(indexOf((await child.node.nth("upstream-frame")).frame)).toBe(1);
});

test("the parent learns what the transport has taken", async () => {
  const parent = await openParent();
  const child = openChild();
  child.client.dial(dialTo(parent));
  const link = await whenOpened(parent.node);
  const frames = Array.from({ length: 100 }, (_, index) => frameNumber(index));
  for (const frame of frames) parent.server.send(link, frame);
  await eventually(() => {
    const events = parent.node.all("children-flushed");
    const flushed = events.flatMap((event) => event.flushed);
    const sum = (numbers: number[]): number => numbers.reduce((total, one) => total + one, 0);
    expect(sum(flushed.map(({ framesCount }) => framesCount))).toBe(frames.length);
    expect(sum(flushed.map(({ bytes }) => bytes))).toBe(sum(frames.map(({ length }) => length)));
    expect(events.length).toBeLessThan(frames.length);
  });
});

test("a node may answer while it is told of a child", async () => {
  const parent = await openParent();
  parent.node.onTold = (happening) => {
    if (happening.kind !== "child-opened") return;
    parent.server.send(happening.link, frameNumber(1));
    parent.server.close(happening.link);
  };
  const child = openChild();
  child.client.dial(dialTo(parent));
  expect((await child.node.nth("upstream-closed")).why).toBe("the parent has ended the link");
  expect(child.node.all("upstream-frame").map(({ frame }) => indexOf(frame))).toEqual([1]);
  await parent.node.nth("child-closed");
});

test("who hangs up frees the parent and is told nothing more", async () => {
  const parent = await openParent();
  const child = openChild();
  child.client.dial(dialTo(parent));
  const link = await whenOpened(parent.node);
  parent.server.send(link, frameNumber(1));
  await child.node.nth("upstream-frame");
  child.client.hangUp(upstream);
  expect((await parent.node.nth("child-closed")).link).toBe(link);
  parent.server.send(link, frameNumber(2));
  parent.server.close(link);

  child.client.dial(dialTo(parent));
  parent.server.send(await whenOpened(parent.node, 2), frameNumber(3));
  await child.node.nth("upstream-frame", 2);
  expect(child.node.all("upstream-frame").map(({ frame }) => indexOf(frame))).toEqual([1, 3]);
  expect(child.node.all("upstream-closed")).toEqual([]);
  expect(parent.node.all("child-closed")).toHaveLength(1);
});

test("hanging up while told of a frame stops those behind it", async () => {
  const parent = await openParent();
  const child = openChild();
  child.node.onTold = ({ kind }) => {
    if (kind === "upstream-frame") child.client.hangUp(upstream);
  };
  child.client.dial(dialTo(parent));
  const link = await whenOpened(parent.node);
  for (const number of [1, 2, 3]) parent.server.send(link, frameNumber(number));
  await parent.node.nth("child-closed");
  expect(child.node.happenings).toHaveLength(1);
});

test("a new dial ends the former one", async () => {
  const parent = await openParent();
  const child = openChild();
  child.client.dial(dialTo(parent));
  const first = await whenOpened(parent.node);
  child.client.dial(dialTo(parent));
  const second = await whenOpened(parent.node, 2);
  expect((await parent.node.nth("child-closed")).link).toBe(first);
  parent.server.send(second, frameNumber(2));
  await child.node.nth("upstream-frame");
  expect(child.node.all("upstream-closed")).toEqual([]);
});

test("a closed link has sent everything, and is told of once on both sides", async () => {
  const parent = await openParent();
  const child = openChild();
  child.client.dial(dialTo(parent));
  const link = await whenOpened(parent.node);
  const numbers = Array.from({ length: 200 }, (_, index) => index);
  for (const number of numbers) parent.server.send(link, frameNumber(number));
  parent.server.close(link);
  parent.server.close(link);
  parent.server.send(link, frameNumber(1_000));
  await child.node.nth("upstream-closed");
  await parent.node.nth("child-closed");
  expect(child.node.all("upstream-frame").map(({ frame }) => indexOf(frame))).toEqual(numbers);

  child.client.dial(dialTo(parent));
  await whenOpened(parent.node, 2);
  expect(child.node.all("upstream-closed")).toHaveLength(1);
  expect(parent.node.all("child-closed")).toHaveLength(1);
});

test("the credential reaches the node", async () => {
  const parent = await openParent();
  const child = openChild();
  const credential = create(EnvelopeSchema, {
    payloadType: "application/vnd.headwater.credential.v1+protobuf",
    payload: Uint8Array.from({ length: 256 }, (_, index) => index),
    signatures: [{ keyid: "0123456789abcdef", sig: new Uint8Array(64).fill(0xfe) }],
  });
  child.client.dial(dialTo(parent, { credential: toBinary(EnvelopeSchema, credential) }));
  const { peer, request } = await parent.node.nth("child-opened");
  expect(peer).toEqual({ by: "credential", credential });
  expect(request).toMatchObject({ protocol: 1, site: "acme", node: "a" });
});

test.each([
  ["none", undefined],
  ["one that can not be read", Uint8Array.of(0xff, 0xff)],
])("%s is no credential", async (_, credential) => {
  const parent = await openParent();
  const child = openChild();
  child.client.dial(dialTo(parent, { credential }));
  const { peer } = await parent.node.nth("child-opened");
  expect(peer).toEqual({ by: "credential", credential: undefined });
});

test("a child too many is refused before the node hears of it", async () => {
  const parent = await openParent({ childrenMax: 1 });
  const [first, second] = [openChild(), openChild()];
  first.client.dial(dialTo(parent));
  await whenOpened(parent.node);
  second.client.dial(dialTo(parent));
  const { why } = await second.node.nth("upstream-closed");
  expect(why).toBe("the parent says: this node takes no more than 1 children at once");
  expect(parent.node.happenings).toHaveLength(1);

  first.client.hangUp(upstream);
  await parent.node.nth("child-closed");
  second.client.dial(dialTo(parent));
  await whenOpened(parent.node, 2);
});

test("a child that takes nothing is given up after a heartbeat", async () => {
  fakeTimeouts();
  const parent = await openParent();
  const closed = closing(callStalled(parent));
  const link = await whenOpened(parent.node);
  parent.server.send(link, frameNumber(1));
  parent.server.close(link);
  expect(parent.node.all("child-closed")).toEqual([]);
  vi.advanceTimersByTime(heartbeatIntervalMs);
  await closed;
  await parent.node.nth("child-closed");
  expect(parent.node.all("children-flushed")).toEqual([]);
});

test("stopping tells children why and gives the port back", async () => {
  const parent = await openParent();
  const child = openChild();
  child.client.dial(dialTo(parent));
  const link = await whenOpened(parent.node);
  parent.server.send(link, frameNumber(1));
  parent.abort();
  await parent.server.stopped;
  expect((await child.node.nth("upstream-closed")).why).toBe(
    "the parent says: this node is stopping",
  );
  expect(child.node.all("upstream-frame")).toHaveLength(1);
  await openParent({ address: parent.server.address });
});

test("stopping does not wait for ever for a child that takes nothing", async () => {
  fakeTimeouts();
  const parent = await openParent();
  const closed = closing(callStalled(parent));
  const link = await whenOpened(parent.node);
  parent.server.send(link, frameNumber(1));
  parent.abort();
  await parent.node.nth("child-closed");
  vi.advanceTimersByTime(5_000);
  await expect(parent.server.stopped).resolves.toBeUndefined();
  await closed;
});

test("a child whose node stops is told nothing more", async () => {
  const parent = await openParent();
  const child = openChild();
  child.client.dial(dialTo(parent));
  await whenOpened(parent.node);
  child.abort();
  await parent.node.nth("child-closed");
  child.client.dial(dialTo(parent));
  const other = openChild();
  other.client.dial(dialTo(parent, { request: create(ReplicateRequestSchema, { node: "b" }) }));
  expect((await parent.node.nth("child-opened", 2)).request.node).toBe("b");
  expect(child.node.happenings).toEqual([]);
});

test("a port that is taken is an error that says what to set", async () => {
  const parent = await openParent();
  const { credentials } = parent.identity;
  const again = openMeshServer({
    access: parent.node,
    address: parent.server.address,
    credentials,
    log: { write: () => {} },
    signal: new AbortController().signal,
  });
  await expect(again).rejects.toMatchObject({
    kind: "busy",
    message: expect.stringContaining(parent.server.address),
    hint: expect.stringContaining("HEADWATER_MESH_ADDR"),
  });
});

test.each(["nonsense", "127.0.0.1:99999"])("%s is no address to listen on", async (address) => {
  await expect(openParent({ address })).rejects.toMatchObject({
    kind: "invalid",
    hint: expect.stringContaining("HEADWATER_MESH_ADDR"),
  });
});
