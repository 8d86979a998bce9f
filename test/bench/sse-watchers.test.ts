import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { unleashToken } from "../../scripts/bench/peers/unleash-token.ts";
import { Worker } from "../../scripts/bench/worker.ts";

const peers = join(import.meta.dirname, "../../scripts/bench/peers");
let source: Worker;
let watchers: Worker;

beforeAll(() => {
  source = new Worker(join(peers, "unleash-source-worker.ts"));
  watchers = new Worker(join(peers, "sse-watchers-worker.ts"));
});

afterAll(async () => {
  await watchers[Symbol.asyncDispose]();
  await source[Symbol.asyncDispose]();
});

test("each who listens hears of each change once, and the flags that come first are none", async () => {
  const address = await source.ask<string>("start", { flagsCount: 10 });
  const hear = (dueCount: number): Promise<number> => watchers.ask("hear", { dueCount });
  const first = hear(1);
  const dial = { address, path: "/api/client/streaming", event: "unleash-updated", count: 3 };
  await watchers.ask("dial", dial);
  expect(await Promise.race([first, sleep(200, "nothing")])).toBe("nothing");
  await source.ask("change", { percentage: 20 });
  await hear(3);
  expect(await Promise.race([hear(4), sleep(200, "no more")])).toBe("no more");
  await source.ask("change", { percentage: 21 });
  expect(await hear(6)).toBeGreaterThan(0);
});

test("who is refused is no client", async () => {
  const address = await source.ask<string>("start", { flagsCount: 1 });
  const asked = watchers.ask("dial", { address, count: 1, path: "/api/client/other" });
  await expect(asked).rejects.toThrow("/api/client/other: 202");
});

test("the token of those who follow is valid", async () => {
  const address = await source.ask<string>("start", { flagsCount: 1 });
  const response = await fetch(`http://${address}/edge/validate`, { method: "POST", body: "{}" });
  expect(await response.json()).toMatchObject({
    tokens: [{ token: unleashToken, type: "client" }],
  });
});
