import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "../../scripts/demo/eventually.ts";
import { joinProcess, NodeProcess } from "../../scripts/demo/node-process.ts";
import { connect } from "../../sdk/index.ts";

const quick = {
  HEADWATER_CENSUS_WINDOW: "12s",
  HEADWATER_WINDOW: "2s",
  HEADWATER_HEALTH_WINDOW: "2s",
  HEADWATER_DISCLOSURE: "rounded",
};

async function metricsOf(node: NodeProcess): Promise<string[]> {
  const token = readFileSync(join(node.directory, "data/admin.token"), "utf8").trim();
  const headers = { authorization: `Bearer ${token}` };
  return (await (await fetch(`http://${node.admin}/metrics`, { headers })).text()).split("\n");
}

describe("a census over a root, a vendor and two sites", () => {
  const nodes: NodeProcess[] = [];
  const started = async (name: string, parent?: NodeProcess): Promise<NodeProcess> => {
    const node = await NodeProcess.start(name, quick);
    nodes.push(node);
    if (parent !== undefined) await joinProcess(parent, node);
    return node;
  };
  const app = (node: NodeProcess) =>
    connect({ project: "horizon", version: "2.3.0", url: `http://${node.apps}` });
  const gate = async (...asked: string[]): Promise<number> =>
    (await root.run(["gate", "horizon", ...asked])).code;
  let root: NodeProcess;
  let vendor: NodeProcess;
  let sites: NodeProcess[];

  beforeAll(async () => {
    root = await started("upstream");
    await root.do(["init", "horizon"]);
    await root.do(
      ["apply", "--yes", "-f", "-"],
      'project: horizon\nreleases: ["2.3.0"]\nfeatures: [old-api]\n',
    );
    vendor = await started("vendor", root);
    await eventually("the vendor has it", async () => {
      return (await vendor.run(["census", "show", "horizon"])).code === 0;
    });
    sites = [await started("plant", vendor), await started("mill", vendor)];
    await vendor.do(["census", "enroll", "horizon", "--no-apps"]);
    for (const site of sites)
      await eventually("it takes part", async () => {
        return (await site.run(["census", "enroll", "horizon"])).code === 0;
      });
  }, 120_000);

  afterAll(async () => {
    for (const node of nodes.reverse()) await node[Symbol.asyncDispose]();
  });

  test("goes from used, over a node that died, to unused, and gates say so", async () => {
    expect(await gate("--unused", "old-api")).toBe(4);
    await root.do("census open horizon --feature old-api --window 12s --in 10s".split(" "));
    await root.do("census open horizon --below 2.3.0 --window 12s --in 10s".split(" "));
    const user = await app(sites[0]!);
    user.used("old-api");
    await eventually(
      "somebody used it",
      async () => (await gate("--unused", "old-api")) === 1,
      90_000,
    );
    await user.close();
    await sites[1]!.kill();
    await eventually(
      "it is not known",
      async () => (await gate("--unused", "old-api")) === 4,
      90_000,
    );
    await sites[1]!.restart();
    await eventually(
      "nobody uses it",
      async () => (await gate("--unused", "old-api")) === 0,
      150_000,
    );
    await eventually(
      "nothing is older",
      async () => (await gate("--none-below", "2.3.0")) === 0,
      90_000,
    );
    expect(await metricsOf(sites[0]!)).toEqual(
      expect.arrayContaining([
        'headwater_census_enrolled{project="horizon"} 1',
        'headwater_census_questions{project="horizon",state="OPEN"} 2',
        'headwater_census_left_out{project="horizon"} 0',
      ]),
    );
    await sites[0]!.evaluate({ project: "horizon", flag: "any" });
    // A window that has just ended is not known either, for as long as nobody has answered.
    await eventually(
      "somebody asks who does not report",
      async () => {
        const shown = await root.do(["census", "show", "horizon"]);
        return /old-api.* unknown .*1 of 1 enrolled children have answered/.test(shown);
      },
      90_000,
    );
    expect(await gate("--unused", "old-api")).toBe(4);
    await sites[0]!.do(["census", "leave", "horizon"]);
    expect(await sites[0]!.do(["census", "answer", "horizon"])).toContain("takes no part");
  }, 400_000);
});
