import { expect, onTestFinished, test, vi } from "vitest";
import { formatCache } from "../../sdk/cache-file.ts";
import type { Client } from "../../sdk/client.ts";
import { connectOn } from "../../sdk/connect.ts";
import { behindMsMax } from "../../sdk/limits.ts";
import { nodeRuntime } from "../../sdk/node-runtime.ts";
import { eventually } from "./eventually.ts";
import { cacheFile, openClient, startNode } from "./open-client.ts";
import { positionOf } from "./small-node.ts";

vi.setConfig({ testTimeout: 60_000 });

test("a node that has come less far takes no kill back, until it has caught up", async () => {
  const path = await cacheFile();
  const node = await startNode({ table: { on: 0 }, at: "two", progress: 8n });
  await (await openClient({ url: node.url, cacheFile: path })).close();
  node.first = { heartbeat: "", freshness: "STALE" };
  const flags = await openClient({ url: node.url, cacheFile: path, waitMs: 0 });
  await eventually(() => expect(node.watches).toHaveLength(2));
  expect(node.watches[1]).toMatchObject({ position: positionOf(""), progress: 8n });
  await eventually(() => expect(flags.problems).toEqual([expect.stringContaining("less far")]));
  expect(flags.details("on")).toMatchObject({ reason: "OFF", freshness: "STALE" });
  expect([flags.ready, node.watches.length]).toEqual([false, 2]);
  node.send({ table: { on: 1 }, at: "three", progress: 9n });
  await eventually(() => expect([flags.freshness, flags.problems]).toEqual(["FRESH", []]));
  expect(flags.details("on").reason).toBe("ROLLOUT");
});

test("a node that never catches up is taken at its word in the end, by an app that never runs for long too", async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  onTestFinished(() => void vi.useRealTimers());
  const path = await cacheFile();
  const node = await startNode({ table: { on: 0 }, at: "two", progress: 8n });
  const run = async (heard: (flags: Client) => void): Promise<bigint | undefined> => {
    const flags = await openClient({ url: node.url, cacheFile: path, waitMs: 0 });
    await eventually(() => heard(flags));
    await flags.close();
    return node.watches.at(-1)?.progress;
  };
  const isFresh = (flags: Client): void => expect(flags.freshness).toBe("FRESH");
  const isBehind = (flags: Client): void => expect(flags.problems).toHaveLength(1);
  await run(isFresh);
  node.first = { heartbeat: "", freshness: "STALE" };
  expect(await run(isBehind)).toBe(8n);
  vi.setSystemTime(Date.now() + behindMsMax - 60_000);
  expect(await run(isBehind)).toBe(8n);
  // One that has caught up meanwhile: what was before does not count any more.
  node.first = { table: { on: 0 }, at: "two", progress: 8n };
  expect(await run(isFresh)).toBe(8n);
  node.first = { heartbeat: "", freshness: "STALE" };
  vi.setSystemTime(Date.now() + behindMsMax);
  expect(await run(isBehind)).toBe(8n);
  vi.setSystemTime(Date.now() + behindMsMax);
  node.first = { table: { on: 10_000 }, at: "one", progress: 7n };
  expect(await run(isFresh)).toBe(0n);
  expect(await run(isFresh)).toBe(7n);
});

test("the cache file has a kill at once, though it has just been written", async () => {
  // The gap between two writes does not end.
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  const written: string[] = [];
  const write = async (_: string, text: string): Promise<void> => void written.push(text);
  const files = { read: async () => undefined, write };
  const runtime = { ...nodeRuntime, environment: {}, files };
  const node = await startNode({ table: { on: 10_000 }, at: "one" });
  const options = { project: "horizon", url: node.url, cacheFile: "cache.json" };
  const flags = await connectOn(runtime, options);
  onTestFinished(() => flags.close());
  const until = async (isSo: () => boolean): Promise<void> => {
    while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
  };
  await until(() => written.length === 2);
  node.send({ delta: { new: 10_000 }, from: "one", at: "two" });
  await until(() => flags.enabled("new"));
  expect(written).toHaveLength(2);
  node.send({ delta: { on: 0 }, from: "two", at: "three" });
  await until(() => written.length === 3);
  expect(JSON.parse(written[2] ?? "")).toMatchObject({
    flags: [
      ["on", 0],
      ["new", 10_000],
    ].map((row) => expect.arrayContaining(row)),
  });
});

test("a cache file that hangs, as on a disk that is away, holds up neither this app nor another", async () => {
  const hung = new Promise<never>(() => {});
  const files = { read: () => hung, write: () => hung };
  const runtime = { ...nodeRuntime, environment: {}, files };
  const node = await startNode({ table: { on: 10_000 }, at: "one" });
  const options = { project: "horizon", url: node.url, cacheFile: "/away/cache.json" };
  const flags = await connectOn(runtime, { ...options, waitMs: 1_000 });
  onTestFinished(() => flags.close());
  await eventually(() => expect(flags.enabled("on")).toBe(true));
  expect(flags.problems).toEqual([expect.stringContaining("cache: ")]);
});

test("what a slow disk has kept is not written over before it is read, and is taken up then", async () => {
  const written: string[] = [];
  let answer: (text: string) => void = () => {};
  const read = () => new Promise<string>((resolve) => (answer = resolve));
  const write = async (_: string, text: string): Promise<void> => void written.push(text);
  const runtime = { ...nodeRuntime, environment: {}, files: { read, write } };
  const app = { project: "horizon", version: "2.3.0" };
  const options = { ...app, url: "http://127.0.0.1:9", cacheFile: "cache.json", waitMs: 0 };
  const flags = await connectOn(runtime, options);
  onTestFinished(() => flags.close());
  const updates: (readonly string[])[] = [];
  flags.on("update", (names) => updates.push(names));
  expect([flags.freshness, written]).toEqual(["EMPTY", []]);
  const killed = { name: "on", basisPoints: 0, hash: 2, reason: "KILLED" };
  answer(formatCache({ ...app, instance: "i-1", flags: [killed], progress: 8n }));
  await eventually(() => expect(written.at(-1)).toContain("KILLED"));
  expect(written.filter((text) => !text.includes("KILLED"))).toEqual([]);
  expect(flags.details("on")).toMatchObject({ reason: "KILLED", freshness: "STALE" });
  expect(updates).toEqual([["on"]]);
});
