import { create, toBinary } from "@bufbuild/protobuf";
import { expect, test, vi } from "vitest";
import { FlagSchema } from "../../gen/headwater/v1/flag_pb.ts";
import { eventually } from "../../scripts/demo/eventually.ts";
import { CheatingRelay, honest } from "../hostile/cheating-relay.ts";
import { type Station, startStation, tokenFrom } from "../hostile/scene.ts";
import { TimedNode } from "../hostile/timed-node.ts";

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

async function seqOf({ admin }: Station): Promise<number> {
  const { projects } = await admin.nodes.getStatus({});
  return projects[0]?.layers[0]?.position?.seq ?? 0;
}

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
