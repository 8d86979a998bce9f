import type { Readable } from "node:stream";
import { create, toBinary } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { describe, expect, onTestFinished, test } from "vitest";
import { Service as V2 } from "../../../../gen/flagd/evaluation/v2/evaluation_pb.ts";
import {
  FlagSyncService,
  type SyncFlagsRequest,
  SyncFlagsRequestSchema,
} from "../../../../gen/flagd/sync/v1/sync_pb.ts";
import { connectionStreamsMax, watchersCountMax } from "../../../../relay/limits.ts";
import { type FakeAccess, flagAt } from "../../fake-access.ts";
import { openHttp2 } from "../../http/http2-call.ts";
import { openTestApps } from "../open-apps.ts";
import { until } from "../watching.ts";
import { codeOf, grpc, nodeWith, reading } from "./flagd-node.ts";

const syncPath = "/flagd.sync.v1.FlagSyncService/SyncFlags";
const eventPath = "/flagd.evaluation.v2.Service/EventStream";
const ofrepPath = "/horizon/ofrep/v1/events";

/** A `SyncFlagsRequest`, or any other that is empty, in the envelope of gRPC. */
const envelope = Buffer.concat([
  Buffer.alloc(5),
  toBinary(SyncFlagsRequestSchema, create(SyncFlagsRequestSchema) as SyncFlagsRequest),
]);

/** Streams that nobody reads, on as few connections as may be. */
async function openUnread(address: string, path: string, count: number): Promise<Readable[]> {
  const streams: Readable[] = [];
  let session = await openHttp2(`http://${address}`);
  onTestFinished(() => session.destroy());
  for (let index = 0; index < count; index++) {
    if (index > 0 && index % connectionStreamsMax === 0) {
      const next = await openHttp2(`http://${address}`);
      onTestFinished(() => next.destroy());
      session = next;
    }
    const headers = { ":path": path, "content-type": "application/grpc+proto" };
    const isGet = path === ofrepPath;
    const stream = session.request({ ...headers, ":method": isGet ? "GET" : "POST" });
    stream.on("error", () => undefined);
    if (isGet) stream.end();
    else stream.end(envelope);
    streams.push(stream);
  }
  return streams;
}

/** If each were kept for each, it would be 1 GB. */
const unreadCount = 50;
const changesCount = 20;
const setBytes = 1_000_000;

/** Names far longer than may be: a set of 1 MB for little work. */
function wideNode(): FakeAccess {
  const names = Array.from({ length: 10 }, (_, index) => `${index}`.padEnd(100_000, "x"));
  return nodeWith(Object.fromEntries(names.map((name) => [name, 0])));
}

describe.each([
  ["SyncFlags", syncPath],
  ["EventStream", eventPath],
  ["server-sent events", ofrepPath],
])("clients of %s that never read", (_, path) => {
  test("delay nobody, cost no memory for each change, and are freed when they go", async () => {
    const access = wideNode();
    const { url, address, counts } = await openTestApps(access);
    const unread = await openUnread(address, path, unreadCount);
    await until(() => counts.watchersCount === unreadCount);
    const client = createClient(FlagSyncService, grpc(url));
    const { messages, abort } = reading((signal) => client.syncFlags({}, { signal }));
    const bytesBefore = bytesHeld();
    for (let change = 1; change <= changesCount; change++) {
      await until(() => messages.length === change);
      access.set("horizon", "", flagAt("path", change));
      (messages as unknown[]).fill(undefined);
    }
    await until(() => messages.length === changesCount + 1);
    expect(bytesHeld() - bytesBefore).toBeLessThan((unreadCount * changesCount * setBytes) / 4);
    for (const stream of unread) stream.destroy();
    abort.abort();
    await until(() => counts.watchersCount === 0);
  });
});

describe("thousands of idle streams", () => {
  test("are served, and past the bound refused, while calls are answered as before", async () => {
    const access = nodeWith({ path: 10_000 });
    const { url, address, counts } = await openTestApps(access);
    const evaluation = createClient(V2, grpc(url));
    const ask = async () => (await evaluation.resolveBoolean({ flagKey: "path" })).value;
    const kinds = [syncPath, eventPath, ofrepPath];
    const idle = await Promise.all(kinds.map((path) => openUnread(address, path, 1_000)));
    await until(() => counts.watchersCount === 3_000);
    expect(await ask()).toBe(true);
    const heard = idle.map((streams) => bytesHeard(streams.at(-1)!));
    await until(() => heard.every((bytes) => bytes() > 0));
    const before = heard.map((bytes) => bytes());
    access.set("horizon", "", flagAt("path", 0));
    await until(() => heard.every((bytes, index) => bytes() > (before[index] ?? 0)));
    expect(await ask()).toBe(false);
    expect(access.readsCount.flagSet).toBeLessThan(10);

    (counts as { watchersCount: number }).watchersCount += watchersCountMax - 3_000;
    const client = createClient(FlagSyncService, grpc(url));
    const { ended } = reading((signal) => client.syncFlags({}, { signal }));
    expect((await ended)?.code).toBe(8);
    expect((await fetch(`${url}${ofrepPath}`)).status).toBe(429);
    expect(await codeOf(client.fetchAllFlags({}))).toBe("OK");
    (counts as { watchersCount: number }).watchersCount -= watchersCountMax - 3_000;
    for (const stream of idle.flat()) stream.destroy();
    await until(() => counts.watchersCount === 0);
  });
});

function bytesHeard(stream: Readable): () => number {
  let bytes = 0;
  stream.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
  });
  return () => bytes;
}

/** What the heap and buffers outside of it hold; some of it is garbage. */
function bytesHeld(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
