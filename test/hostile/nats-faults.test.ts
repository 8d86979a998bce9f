import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { connect, type NatsConnection } from "nats";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { staleAfterMs } from "../../relay/cadence.ts";
import { eventually } from "../../scripts/demo/eventually.ts";
import { NatsProcess } from "../../scripts/demo/nats-process.ts";
import { BadLine } from "../chaos/bad-line.ts";
import { aheadBy, Counter } from "../chaos/counter.ts";
import { TimedNode } from "./timed-node.ts";

const project = "horizon";
const patienceMs = 60_000;

let parts: AsyncDisposableStack;
let nats: NatsProcess;
let root: TimedNode;
/** Has a parent and NATS. */
let linked: TimedNode;
/** Has NATS alone. */
let follower: TimedNode;
let line: BadLine;
let counter: Counter;
let stranger: NatsConnection;
/** Whoever served an older number after a newer one. */
const wentBack: string[] = [];
const watching = new AbortController();

beforeAll(async () => {
  parts = new AsyncDisposableStack();
  nats = parts.use(await NatsProcess.start());
  line = parts.use(await BadLine.open({ toPort: Number(new URL(nats.url).port) }));
  root = parts.use(await TimedNode.open("upstream"));
  const site = { HEADWATER_SITE: "plant" };
  linked = parts.use(await TimedNode.open("plant-1", { ...site, HEADWATER_NATS_URL: nats.url }));
  const secret = join(linked.directory, "copy.secret");
  copyFileSync(join(linked.directory, "data", "site.secret"), secret);
  follower = parts.use(
    await TimedNode.open("plant-2", {
      ...site,
      HEADWATER_NATS_URL: `nats://127.0.0.1:${line.port}`,
      HEADWATER_SITE_SECRET_FILE: secret,
    }),
  );
  await root.init(project);
  counter = new Counter({ project, admin: () => root.admin });
  await counter.begin();
  const { token } = await root.admin.nodes.addChild({ name: "plant" });
  await linked.admin.nodes.join({ token });
  await agreed();
  stranger = await connect({ servers: new URL(nats.url).host });
  parts.defer(() => stranger.close());
  for (const node of [linked, follower]) void watch(node);
}, 240_000);

afterAll(async () => {
  watching.abort();
  await parts.disposeAsync();
});

const numberAt = (node: TimedNode): Promise<number> =>
  new Counter({ project, admin: () => node.admin }).held();

/** Both nodes of the site are where the root is, and say so. */
async function agreed(): Promise<void> {
  for (const node of [linked, follower])
    await eventually(
      "the site is where the root is",
      async () => {
        const held = await numberAt(node);
        if (held !== counter.acknowledged)
          throw new Error(`it is at ${held}, the root at ${counter.acknowledged}`);
        return (await node.freshness(project)) === "FRESH";
      },
      patienceMs,
    );
}

async function follows(node: TimedNode): Promise<void> {
  const isThere = async (): Promise<boolean> => (await numberAt(node)) === counter.acknowledged;
  await eventually("it follows", isThere, patienceMs);
}

async function watch(node: TimedNode): Promise<void> {
  for (let last = await numberAt(node); !watching.signal.aborted; await sleep(20)) {
    const now = await numberAt(node).catch(() => last);
    if (aheadBy(now, last) < 0) wentBack.push(`from ${last} to ${now}`);
    last = now;
  }
}

/** Time passes for a node without a word from anybody. */
async function labelAfterSilence(node: TimedNode): Promise<string | undefined> {
  node.wallOffsetMs += staleAfterMs;
  node.monoOffsetMs += staleAfterMs;
  try {
    return await node.freshness(project);
  } finally {
    node.wallOffsetMs -= staleAfterMs;
    node.monoOffsetMs -= staleAfterMs;
  }
}

const problemAt = async (node: TimedNode): Promise<string> =>
  (await node.admin.nodes.getStatus({})).fanout?.problem ?? "";

describe("flags stay right, or STALE, and come right by themselves, when NATS", () => {
  test("is down, and comes again", async () => {
    await nats.signal("SIGKILL");
    const before = counter.acknowledged;
    await counter.step();
    await follows(linked);
    expect(await numberAt(follower)).toBe(before);
    await eventually("it says so", async () => (await problemAt(follower)) !== "");
    expect(await labelAfterSilence(follower)).toBe("STALE");
    await nats.restart();
    await agreed();
    expect(await problemAt(follower)).toBe("");
  });

  test("hangs, and goes on", async () => {
    await nats.signal("SIGSTOP");
    await counter.step();
    await follows(linked);
    await nats.signal("SIGCONT");
    await agreed();
    expect(await numberAt(follower)).toBe(counter.acknowledged);
  });

  test.for(["delay", "cut", "stall"] as const)(
    "reaches a node over a line that can only %s",
    async (fault) => {
      line.set(fault);
      for (let n = 0; n < 3; n++) await counter.step();
      await follows(linked);
      line.set("none");
      await agreed();
      expect(await numberAt(follower)).toBe(counter.acknowledged);
    },
  );

  test("says everything twice, late, in another order, and rubbish besides", async () => {
    const kept: { subject: string; data: Uint8Array }[] = [];
    const heard = stranger.subscribe("headwater.*.frames", {
      callback: (_error, { subject, data }) => {
        kept.push({ subject, data: data.slice() });
        stranger.publish(subject, data);
      },
    });
    await stranger.flush();
    for (let n = 0; n < 5; n++) await counter.step();
    await follows(follower);
    heard.unsubscribe();
    expect(kept.length).toBeGreaterThan(4);
    for (const { subject, data } of [...kept.toReversed(), ...kept]) {
      stranger.publish(subject, data);
      stranger.publish(subject, data.subarray(0, data.length / 2));
      stranger.publish(subject, Buffer.alloc(100, 0xa5));
    }
    await stranger.flush();
    await counter.step();
    await agreed();
  });

  test("refuses the login, until it takes it again", async () => {
    await nats.signal("SIGKILL");
    await nats.restart({ user: "somebody", password: "else" });
    await counter.step();
    await follows(linked);
    for (const node of [linked, follower])
      await eventually(
        "it says what to look at",
        async () => (await problemAt(node)).includes("refuses this node"),
        patienceMs,
      );
    await nats.signal("SIGKILL");
    await nats.restart();
    await agreed();
    expect([await problemAt(linked), await problemAt(follower)]).toEqual(["", ""]);
  });

  test("is gone for good: who has a parent goes on, who has none is STALE, and nobody ever went back", async () => {
    await nats.signal("SIGKILL");
    const before = counter.acknowledged;
    await counter.step();
    await follows(linked);
    expect(await linked.freshness(project)).toBe("FRESH");
    expect(await numberAt(follower)).toBe(before);
    expect(await labelAfterSilence(follower)).toBe("STALE");
    expect(wentBack).toEqual([]);
  });
});
