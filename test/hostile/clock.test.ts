import { create, toBinary } from "@bufbuild/protobuf";
import { afterAll, beforeAll, expect, test } from "vitest";
import { FlagSchema } from "../../gen/headwater/v1/flag_pb.ts";
import { barMsMax, minuteMs, stalledAfterMs } from "../../relay/cadence.ts";
import { parseToken } from "../../relay/trust/join-token.ts";
import { eventually } from "../../scripts/demo/eventually.ts";
import { HostileChild, hostileAddress } from "./hostile-child.ts";
import { TimedNode } from "./timed-node.ts";
import { WatchingApp } from "./watching-app.ts";

const yearMs = 365 * 24 * 60 * minuteMs;

let root: TimedNode;
let site: TimedNode;
let app: WatchingApp;
let newest = 0;

beforeAll(async () => {
  root = await TimedNode.open("upstream");
  site = await TimedNode.open("plant");
  await root.init("horizon");
  const { token } = await root.admin.nodes.addChild({ name: "plant" });
  await site.admin.nodes.join({ token });
  app = new WatchingApp({
    apps: site.node.apps,
    node: "plant",
    project: "horizon",
    newest: () => newest,
  });
  await change();
  await app.sees(newest);
});
afterAll(async () => {
  app?.[Symbol.dispose]();
  await site?.[Symbol.asyncDispose]();
  await root?.[Symbol.asyncDispose]();
});

async function change(): Promise<void> {
  newest++;
  const entries = ["a", "b"].map((name) => ({
    key: `flag/${name}`,
    value: toBinary(FlagSchema, create(FlagSchema, { name, basisPoints: newest, hash: 2 })),
  }));
  await root.admin.ledgers.commit({ ledger: { project: "horizon" }, entries });
}

const isLabelled = (label: string) =>
  eventually(`the site is ${label}`, async () => (await site.freshness("horizon")) === label);

test("a site whose clock jumps a year ahead labels its data, keeps it, and still follows", async () => {
  site.wallOffsetMs = yearMs;
  await isLabelled("EXPIRED");
  await change();
  await app.sees(newest);
  site.wallOffsetMs = 0;
  await isLabelled("FRESH");
  expect(app.breaches).toEqual([]);
});

test("a site whose clock falls a year behind keeps what it has, says so, and catches up", async () => {
  site.wallOffsetMs = -yearMs;
  const before = app.value;
  await change();
  await eventually("the site says what is wrong", () =>
    site.said.some((line) => /from the future\. Compare the clocks of the nodes/.test(line)),
  );
  expect(app.value).toBe(before);
  site.wallOffsetMs = 0;
  await app.sees(newest, barMsMax);
});

test("what a root signs a year ahead is refused; when its clock is right again, it is followed", async () => {
  const before = app.value;
  root.wallOffsetMs = yearMs;
  await change();
  const said = site.said.length;
  await eventually("the site says what is wrong", () =>
    site.said.slice(said - 3).some((line) => /from the future/.test(line)),
  );
  expect(app.value).toBe(before);
  root.wallOffsetMs = 0;
  await change();
  await app.sees(newest, barMsMax);
});

test("a child that takes nothing for two minutes is let go", async () => {
  const { token } = await root.admin.nodes.addChild({ name: "mute" });
  const parsed = parseToken(token);
  if (!parsed.ok) throw new Error(parsed.refusal.message);
  using mute = new HostileChild(parsed.value, { from: hostileAddress(200), windowBytes: 0 });
  mute.replicate("mute");
  const isConnected = async (): Promise<boolean> => {
    const { children } = await root.admin.nodes.getStatus({});
    return children.some(({ node }) => node === "mute");
  };
  await eventually("it is connected", isConnected);
  root.monoOffsetMs += stalledAfterMs;
  await eventually("it is let go", async () => !(await isConnected()));
  expect(root.said).toContainEqual(
    expect.stringContaining("mute/mute has taken nothing for 2 minutes"),
  );
});

test("what a root signs a year behind is followed, and labelled", async () => {
  root.wallOffsetMs = -yearMs;
  await change();
  await app.sees(newest);
  root.wallOffsetMs = 0;
  await change();
  await app.sees(newest);
  await isLabelled("FRESH");
  expect(app.breaches).toEqual([]);
});

test("updates and beats that do not come make data stale, then expired, and take nothing away", async () => {
  await root[Symbol.asyncDispose]();
  site.wallOffsetMs = 6 * minuteMs;
  await isLabelled("STALE");
  site.wallOffsetMs = 8 * 24 * 60 * minuteMs;
  await isLabelled("EXPIRED");
  expect(app.value).toBe(newest);
  expect(app.breaches).toEqual([]);
});
