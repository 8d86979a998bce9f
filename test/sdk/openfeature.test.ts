import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Client,
  ErrorCode,
  type EvaluationContext,
  OpenFeature,
  ProviderEvents,
  ProviderStatus,
} from "@openfeature/server-sdk";
import { OpenFeature as WebOpenFeature } from "@openfeature/web-sdk";
import { afterEach, describe, expect, onTestFinished, test } from "vitest";
import { isIn } from "../../relay/flag/bucket.ts";
import { HeadwaterProvider } from "../../sdk/openfeature.ts";
import { HeadwaterWebProvider } from "../../sdk/openfeature-web.ts";
import type { ConnectOptions } from "../../sdk/settings.ts";
import { eventually } from "./eventually.ts";
import { SmallNode } from "./small-node.ts";

/** Nobody listens there: the port is one that only privileged servers use. */
const nowhere = "http://127.0.0.1:9";

const table = { on: 10_000, off: 0, half: 5_000 };

afterEach(async () => {
  await OpenFeature.clearProviders();
  await WebOpenFeature.clearProviders();
});

async function start(...given: Parameters<typeof SmallNode.start>): Promise<SmallNode> {
  const node = await SmallNode.start(...given);
  onTestFinished(() => node[Symbol.asyncDispose]());
  return node;
}

interface Opened {
  readonly client: Client;
  readonly provider: HeadwaterProvider;
  /** The provider's events so far, with the flags that changed. */
  readonly heard: string[];
}

/** A client of OpenFeature whose provider has begun to connect. */
function opened(options: ConnectOptions): Opened & { ready: Promise<void> } {
  const provider = new HeadwaterProvider({ project: "horizon", version: "2.3.0", ...options });
  // A domain for each, as handlers outlive their provider.
  const domain = crypto.randomUUID();
  const client = OpenFeature.getClient(domain);
  const heard: string[] = [];
  for (const event of Object.values(ProviderEvents)) {
    client.addHandler(event as ProviderEvents.ConfigurationChanged, (details) => {
      const flags = details?.flagsChanged ?? [];
      heard.push([event.replace("PROVIDER_", ""), ...flags].join(" "));
    });
  }
  return { client, provider, heard, ready: OpenFeature.setProviderAndWait(domain, provider) };
}

describe("a flag", () => {
  test("is on for the instance that the context names, else for the targeting key", async () => {
    const node = await start({ table, at: "one" });
    const { client, ready } = opened({ url: node.url });
    await ready;
    const keys = Array.from({ length: 20 }, (_, at) => `i-${at}`);
    for (const key of keys) {
      const expected = isIn({ flag: "half", instance: key, basisPoints: 5_000 });
      const asked = (context: EvaluationContext) =>
        client.getBooleanValue("half", !expected, context);
      expect(await asked({ targetingKey: key })).toBe(expected);
      expect(await asked({ instance: key, targetingKey: "other" })).toBe(expected);
      expect(await asked({ instance: null, targetingKey: key })).toBe(expected);
      expect(await asked({ instance: "", targetingKey: key })).toBe(expected);
    }
  });

  test("is this copy's own where the context names none", async () => {
    const node = await start({ table, at: "one" });
    const { client, provider, ready } = opened({ url: node.url });
    await ready;
    const instance = provider.client?.instance ?? "";
    const expected = isIn({ flag: "half", instance, basisPoints: 5_000 });
    expect(await client.getBooleanValue("half", !expected)).toBe(expected);
    expect(await client.getBooleanValue("half", !expected, { targetingKey: "i-1" })).toBe(
      isIn({ flag: "half", instance: "i-1", basisPoints: 5_000 }),
    );
    expect(provider.client?.enabled("half")).toBe(expected);
  });

  test("says its variant, its reason, and what Headwater calls the reason", async () => {
    const node = await start({ table, at: "one" });
    const { client, ready } = opened({ url: node.url });
    await ready;
    expect(await client.getBooleanDetails("on", false)).toEqual({
      flagKey: "on",
      value: true,
      variant: "on",
      reason: "STATIC",
      flagMetadata: { why: "FULL", freshness: "FRESH" },
    });
    expect(await client.getBooleanDetails("off", true)).toMatchObject({
      value: false,
      variant: "off",
      reason: "STATIC",
    });
    expect(await client.getBooleanDetails("half", true)).toMatchObject({
      reason: "SPLIT",
      flagMetadata: { why: "ROLLOUT" },
    });
  });

  test("that is not there is the default, with the code for it", async () => {
    const node = await start({ table, at: "one" });
    const { client, ready } = opened({ url: node.url });
    await ready;
    const { FLAG_NOT_FOUND, TYPE_MISMATCH } = ErrorCode;
    for (const [flag, errorCode] of [
      ["missing", FLAG_NOT_FOUND],
      ["on", TYPE_MISMATCH],
    ] as const) {
      const expected = { reason: "ERROR", errorCode };
      expect(await client.getStringDetails(flag, "a")).toMatchObject({ ...expected, value: "a" });
      expect(await client.getNumberDetails(flag, 7)).toMatchObject({ ...expected, value: 7 });
      const object = { a: [1] };
      expect(await client.getObjectDetails(flag, object)).toMatchObject({
        ...expected,
        value: object,
      });
    }
    for (const value of [true, false]) {
      const details = await client.getBooleanDetails("missing", value);
      expect(details).toMatchObject({ value, reason: "ERROR", errorCode: FLAG_NOT_FOUND });
    }
  });
});

describe("the provider", () => {
  test("is ready, and says which flags have changed", async () => {
    const node = await start({ table, at: "one" });
    const { client, heard, ready } = opened({ url: node.url });
    await ready;
    expect(client.providerStatus).toBe(ProviderStatus.READY);
    node.send({ delta: { on: 0, added: 1 }, removed: ["off"], from: "one", at: "two" });
    await eventually(() => expect(heard).toEqual(["READY", "CONFIGURATION_CHANGED off on added"]));
    expect(await client.getBooleanValue("on", true)).toBe(false);
    // The same again is no change, though all of it was sent.
    node.send({ table: { on: 0, added: 1, half: 5_000 }, at: "three" });
    node.send({ table: { on: 0, added: 1, half: 5_001 }, at: "four" });
    await eventually(() => expect(heard.at(-1)).toBe("CONFIGURATION_CHANGED half"));
    expect(heard).toHaveLength(3);
  });

  test("is stale while nobody vouches for the flags, which stay", async () => {
    const node = await start({ table, at: "one" });
    const { client, heard, ready } = opened({ url: node.url });
    await ready;
    node.send({ heartbeat: "one", freshness: "STALE" });
    await eventually(() => expect(client.providerStatus).toBe(ProviderStatus.STALE));
    expect(await client.getBooleanDetails("on", false)).toMatchObject({
      value: true,
      flagMetadata: { freshness: "STALE" },
    });
    node.send({ heartbeat: "one" });
    await eventually(() => expect(client.providerStatus).toBe(ProviderStatus.READY));
    expect(heard).toEqual(["READY", "STALE", "READY"]);
  });

  test("is in error without flags, and ready by itself when they come", async () => {
    const { client, heard, ready } = opened({ url: nowhere, waitMs: 0 });
    await expect(ready).rejects.toThrow("no node has sent flags yet");
    expect(client.providerStatus).toBe(ProviderStatus.ERROR);
    const { PROVIDER_NOT_READY } = ErrorCode;
    expect(await client.getBooleanDetails("on", true)).toMatchObject({
      value: true,
      errorCode: PROVIDER_NOT_READY,
    });
    expect(await client.getStringDetails("on", "a")).toMatchObject({
      value: "a",
      errorCode: PROVIDER_NOT_READY,
    });
    expect(heard).toEqual(["ERROR"]);

    const silent = await start();
    const late = opened({ url: silent.url, waitMs: 0 });
    await expect(late.ready).rejects.toThrow("no node has sent flags yet");
    await eventually(() => expect(silent.streamsCount).toBe(1));
    silent.send({ table, at: "one" });
    await eventually(() => expect(late.client.providerStatus).toBe(ProviderStatus.READY));
    expect(await late.client.getBooleanValue("on", false)).toBe(true);
    const changed = "CONFIGURATION_CHANGED on off half";
    await eventually(() => expect(late.heard).toEqual(["ERROR", "READY", changed]));
  });

  test("is stale from the start where only the cache file has flags", async () => {
    const directory = await mkdtemp(join(tmpdir(), "headwater-openfeature-"));
    onTestFinished(() => rm(directory, { recursive: true, force: true }));
    const cacheFile = join(directory, "cache.json");
    const node = await start({ table, at: "one" });
    await opened({ url: node.url, cacheFile }).ready;
    await OpenFeature.clearProviders();
    await node.stop();

    const { client, ready } = opened({ url: nowhere, waitMs: 0, cacheFile });
    await ready;
    await eventually(() => expect(client.providerStatus).toBe(ProviderStatus.STALE));
    expect(await client.getBooleanValue("on", false)).toBe(true);
    await OpenFeature.clearProviders();
  });

  test("is in an error for good with settings that can not work", async () => {
    const { client, ready } = opened({ project: "a b" });
    await expect(ready).rejects.toThrow("a b");
    expect(client.providerStatus).toBe(ProviderStatus.FATAL);
  });

  test("ends with its last report, and can be started again", async () => {
    const node = await start({ table, at: "one" });
    const { client, provider, ready } = opened({ url: node.url });
    await ready;
    await eventually(() => expect(node.reports).toHaveLength(1));
    await client.getBooleanValue("on", false);
    client.track("keystone-v2-api");
    await OpenFeature.clearProviders();
    await eventually(() => expect(node.streamsCount).toBe(0));
    expect(node.reports.at(-1)).toMatchObject({
      flags: [{ name: "on", active: true }],
      features: ["keystone-v2-api"],
    });
    expect(provider.client).toBeUndefined();
    await OpenFeature.setProviderAndWait(provider);
    expect(await OpenFeature.getClient().getBooleanValue("on", false)).toBe(true);
  });

  test("that is started by two, as two hosts of plugins do, is one copy of the app all the same", async () => {
    const node = await start({ table, at: "one" });
    const provider = new HeadwaterProvider({ project: "horizon", url: node.url });
    await provider.initialize();
    const { client } = provider;
    await Promise.all([provider.initialize(), provider.initialize()]);
    expect(provider.client).toBe(client);
    expect(node.watches).toHaveLength(1);
    await provider.onClose();
    await Promise.all([provider.initialize(), provider.initialize()]);
    expect(provider.client?.enabled("on")).toBe(true);
    await provider.onClose();
    await eventually(() => expect(node.streamsCount).toBe(0));
  });

  test("that is closed while it connects leaves nothing open", async () => {
    const silent = await start();
    const provider = new HeadwaterProvider({ project: "horizon", url: silent.url, waitMs: 300 });
    const starting = provider.initialize();
    await eventually(() => expect(silent.streamsCount).toBe(1));
    await provider.onClose();
    await starting;
    await eventually(() => expect(silent.streamsCount).toBe(0));
    expect(provider.client).toBeUndefined();
  });
});

test("in a page it answers at once, for the context of the page", async () => {
  const node = await start({ table, at: "one" });
  const provider = new HeadwaterWebProvider({ project: "horizon", url: node.url });
  const isOn = (instance: string) => isIn({ flag: "half", instance, basisPoints: 5_000 });
  await WebOpenFeature.setContext({ targetingKey: "i-1" });
  await WebOpenFeature.setProviderAndWait(provider);
  const client = WebOpenFeature.getClient();
  expect(client.getBooleanValue("half", !isOn("i-1"))).toBe(isOn("i-1"));
  await WebOpenFeature.setContext({ instance: "i-2", targetingKey: "i-1" });
  expect(client.getBooleanValue("half", !isOn("i-2"))).toBe(isOn("i-2"));
  expect(client.getStringDetails("on", "a").errorCode).toBe(ErrorCode.TYPE_MISMATCH);
  node.send({ delta: { on: 0 }, from: "one", at: "two" });
  await eventually(() => expect(client.getBooleanValue("on", true)).toBe(false));
});
