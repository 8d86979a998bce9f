import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "../../scripts/demo/eventually.ts";
import { joinProcess, NodeProcess } from "../../scripts/demo/node-process.ts";

const flag = { project: "horizon", flag: "new-scheduler" };

describe("a root, a vendor and a site, each a process", () => {
  let root: NodeProcess;
  let vendor: NodeProcess;
  let site: NodeProcess;

  beforeAll(async () => {
    root = await NodeProcess.start("upstream");
    vendor = await NodeProcess.start("acme");
    site = await NodeProcess.start("plant");
    await root.do(["init", "horizon"]);
    await joinProcess(root, vendor);
    await eventually("the vendor has the project", async () =>
      (await vendor.do(["status", "--json"])).includes("horizon"),
    );
    await joinProcess(vendor, site);
  }, 60_000);

  afterAll(async () => {
    for (const node of [site, vendor, root]) await node?.[Symbol.asyncDispose]();
  });

  const atSite = (reason: string) =>
    eventually(
      `the site answers ${reason}`,
      async () => (await site.evaluate(flag)).reason === reason,
    );

  test("a flag set at the root is on behind the third hop, and killed there", async () => {
    await root.do(["flag", "set", "horizon/new-scheduler", "100%"]);
    await atSite("FULL");
    expect(await site.evaluate(flag)).toEqual({
      enabled: true,
      reason: "FULL",
      freshness: "FRESH",
    });
    await root.do(["flag", "kill", "horizon/new-scheduler", "--note", "hangs"]);
    await atSite("KILLED");
    await root.do(["flag", "revive", "horizon/new-scheduler"]);
    await atSite("FULL");
  });

  test("each node is killed in turn and comes back by itself", async () => {
    for (const [turn, node] of [root, vendor, site].entries()) {
      await node.kill();
      await node.restart();
      const percent = turn % 2 === 0 ? "0%" : "100%";
      const said = await root.do(["flag", "set", "horizon/new-scheduler", percent]);
      expect(said).toContain(percent.replace("%", " %"));
      await eventually(
        "the change arrives",
        async () => (await site.evaluate(flag)).reason === (turn % 2 === 0 ? "OFF" : "FULL"),
        40_000,
      );
    }
    await root.do(["flag", "set", "horizon/new-scheduler", "100%"]);
    await atSite("FULL");
  }, 120_000);

  test("with root and vendor gone, a restarted site still serves what it had", async () => {
    await root.kill();
    await vendor.kill();
    await site.kill();
    await site.restart();
    expect(await site.evaluate(flag)).toMatchObject({ enabled: true, reason: "FULL" });
    const status = await site.do(["status"]);
    expect(status).toMatch(/upstream acme: /);
    await root.restart();
    await vendor.restart();
  }, 60_000);

  test("the root key is on the operator's side, readable by its owner only", () => {
    expect(existsSync(join(root.directory, "config/headwater/horizon.root.key"))).toBe(true);
  });
});
