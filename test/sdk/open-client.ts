import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { Client } from "../../sdk/client.ts";
import { connectOn } from "../../sdk/connect.ts";
import { nodeRuntime } from "../../sdk/node-runtime.ts";
import type { ConnectOptions, Environment } from "../../sdk/settings.ts";
import { SmallNode } from "./small-node.ts";

/** A client as an app of this version has it, until the end of the test. */
export async function openClient(
  options: ConnectOptions,
  environment: Environment = {},
): Promise<Client> {
  const runtime = { ...nodeRuntime, environment };
  const client = await connectOn(runtime, { project: "horizon", version: "2.3.0", ...options });
  onTestFinished(() => client.close());
  return client;
}

/** A node, until the end of the test. */
export async function startNode(...given: Parameters<typeof SmallNode.start>): Promise<SmallNode> {
  const node = await SmallNode.start(...given);
  onTestFinished(() => node[Symbol.asyncDispose]());
  return node;
}

/** Where a client of this test may keep its cache: nothing is there yet. */
export async function cacheFile(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "headwater-sdk-"));
  onTestFinished(() => rm(dir, { recursive: true }));
  return join(dir, "app", "cache.json");
}
