import { create, toBinary } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { FlagSchema } from "../../gen/headwater/v1/flag_pb.ts";
import { eventually } from "../../scripts/demo/eventually.ts";
import { CheatingRelay, honest } from "../hostile/cheating-relay.ts";
import { type Station, startStation, tokenFrom } from "../hostile/scene.ts";
import { TimedNode } from "../hostile/timed-node.ts";
import { WatchingApp } from "../hostile/watching-app.ts";

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

let newest = 0;

/** Both flags of the project at the next number. */
async function change({ admin }: Pick<Station, "admin">): Promise<number> {
  newest++;
  const entries = ["a", "b"].map((name) => ({
    key: `flag/${name}`,
    value: toBinary(FlagSchema, create(FlagSchema, { name, basisPoints: newest, hash: 2 })),
  }));
  await admin.ledgers.commit({ ledger: { project: "horizon" }, entries });
  return newest;
}

async function joinStation(parent: Station, child: Pick<Station, "admin">, name: string) {
  const { token } = await parent.admin.nodes.addChild({ name });
  await child.admin.nodes.join({ token });
}

/** Where a node gets the project from. */
async function primaryOf({ admin }: Station): Promise<string> {
  const { projects } = await admin.nodes.getStatus({});
  return projects[0]?.layers[0]?.primary ?? "";
}

async function hasTwoLinks({ admin }: Station): Promise<void> {
  const attempt = async (): Promise<boolean> => {
    const { upstreams } = await admin.nodes.getStatus({});
    return upstreams.length === 2 && upstreams.every(({ state }) => state === "CONNECTED");
  };
  await eventually("it has two links", attempt, 60_000);
}

/** Of two that have joined each other, at most one has the project from the other. */
async function takeNoTurns(acme: Station, bolt: Station): Promise<void> {
  const attempt = async (): Promise<boolean> => {
    const primaries = [await primaryOf(acme), await primaryOf(bolt)].sort();
    return ["", "acme"].includes(primaries[0] ?? "") && primaries.join() !== "acme,bolt";
  };
  await eventually("nobody has it from below itself", attempt, 60_000);
}

async function seqOf({ admin }: Station): Promise<number> {
  const { projects } = await admin.nodes.getStatus({});
  return projects[0]?.layers[0]?.position?.seq ?? 0;
}

describe("a site with two parents that are at different positions", () => {
  let root: Station;
  let acme: Station;
  let bolt: Station;
  let site: Station;
  let app: WatchingApp;

  beforeAll(async () => {
    const names = ["upstream", "acme", "bolt", "plant"];
    const stations = await Promise.all(names.map((name) => startStation(name)));
    [root, acme, bolt, site] = stations as [Station, Station, Station, Station];
    await root.process.do(["init", "horizon"]);
    for (const vendor of [acme, bolt]) {
      await joinStation(root, vendor, vendor.process.name);
      await eventually("the vendor has the project", async () => (await seqOf(vendor)) > 0);
      await joinStation(vendor, site, "plant");
    }
    const { name: node, apps } = site.process;
    app = new WatchingApp({ node, apps, project: "horizon", newest: () => newest });
    await app.sees(await change(root));
  });
  afterAll(async () => {
    app?.[Symbol.dispose]();
    for (const station of [site, bolt, acme, root]) await station?.process[Symbol.asyncDispose]();
  });

  test("is moved to the one behind and back, and never steps back", async () => {
    const before = await seqOf(bolt);
    await bolt.process.kill();
    await app.sees(await change(root));
    const held = await seqOf(site);
    await root.process.kill();
    await acme.process.kill();
    await bolt.process.restart();
    expect(await seqOf(bolt)).toBe(before);
    const { upstreams } = await eventually(
      "the site is linked to the one behind",
      async () => {
        const status = await site.admin.nodes.getStatus({});
        return status.upstreams[1]?.state === "CONNECTED" ? status : undefined;
      },
      60_000,
    );
    expect(upstreams[1]?.site).toBe("bolt");
    expect(await seqOf(site)).toBe(held);
    await site.process.kill();
    await site.process.restart();
    await app.sees(newest);
    await root.process.restart();
    await acme.process.restart();
    await app.sees(await change(root), 60_000);
    await eventually("both are level again", async () => (await seqOf(bolt)) === held + 1, 60_000);
    expect(app.breaches).toEqual([]);
  });

  test("follows through vendors that have joined each other: loops are refused, per ledger", async () => {
    await joinStation(acme, bolt, "bolt");
    await joinStation(bolt, acme, "acme");
    for (const vendor of [acme, bolt]) await hasTwoLinks(vendor);
    await app.sees(await change(root), 60_000);
    for (const vendor of [acme, bolt]) expect(await primaryOf(vendor)).toBe("upstream");
    await root.process.kill();
    await takeNoTurns(acme, bolt);
    await root.process.restart();
    await app.sees(await change(root), 60_000);
    expect(app.breaches).toEqual([]);
  });
});

test("the root sees at what share of sites a kill has arrived, through hops, and that one withholds it", async () => {
  const windows = {
    HEADWATER_WINDOW: "2s",
    HEADWATER_HEALTH_WINDOW: "2s",
    HEADWATER_DISCLOSURE: "exact",
  };
  await using stack = new AsyncDisposableStack();
  const [root, vendor] = [
    await startStation("upstream", windows),
    await startStation("acme", windows),
  ];
  stack.use(root.process);
  stack.use(vendor.process);
  await root.process.do(["init", "horizon"]);
  await joinStation(root, vendor, "acme");
  await eventually("the vendor has the project", async () => (await seqOf(vendor)) > 0);
  const relay = stack.use(await CheatingRelay.start(await tokenFrom(vendor, "relay")));
  for (const name of ["s1", "s2", "s3", "s4", "s5"]) {
    const site = stack.use(await TimedNode.open(name, windows));
    if (name === "s5") await site.admin.nodes.join({ token: relay.tokenWith(relay.pins) });
    else await joinStation(vendor, site, name);
  }
  const arrives = (basisPoints: number) =>
    eventually(
      `it has arrived at ${basisPoints / 100} %`,
      async () => {
        const { health } = await root.admin.fleet.getFleet({ project: "horizon" });
        const arrival = health?.arrival;
        const isNewest = arrival?.seq === (await seqOf(root));
        return isNewest && arrival?.basisPoints === basisPoints;
      },
      60_000,
    );
  await change(root);
  await arrives(10_000);
  relay.alter = (frame) => (frame.case === "delta" || frame.case === "heartbeat" ? [] : [frame]);
  await root.process.do(["flag", "kill", "horizon/a"]);
  await arrives(8_000);
  expect(await root.process.do(["fleet", "horizon"])).toMatch(/arrival .*80/);
  relay.alter = honest;
  await root.process.do(["flag", "kill", "horizon/b"]);
  await arrives(10_000);
});
