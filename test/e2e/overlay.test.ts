import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openAdminClient } from "../../nodes/cli/admin-client.ts";
import { eventually } from "../../scripts/demo/eventually.ts";
import { joinProcess, NodeProcess } from "../../scripts/demo/node-process.ts";
import { connect } from "../../sdk/index.ts";

const project = "horizon";
const flag = { project, flag: "new-scheduler" };
const path = "horizon/new-scheduler";

describe("a root, a vendor with an overlay and a site with another, each a process", () => {
  let root: NodeProcess;
  let vendor: NodeProcess;
  let site: NodeProcess;

  beforeAll(async () => {
    root = await NodeProcess.start("upstream");
    vendor = await NodeProcess.start("acme");
    site = await NodeProcess.start("plant");
    await root.do(["init", project]);
    await root.do(["flag", "set", path, "100%"]);
    await joinProcess(root, vendor);
    await answers(vendor, "FULL");
    await joinProcess(vendor, site);
    await answers(site, "FULL");
  }, 60_000);

  afterAll(async () => {
    for (const node of [site, vendor, root]) await node?.[Symbol.asyncDispose]();
  });

  const answers = (node: NodeProcess, reason: string) =>
    eventually(
      `${node.name} answers ${reason}`,
      async () => (await node.evaluate(flag)).reason === reason,
      40_000,
    );
  const restartAll = async () => {
    for (const node of [root, vendor, site]) {
      await node.kill();
      await node.restart();
    }
  };
  const explained = async (node: NodeProcess) =>
    (await node.do(["explain", path])).trimEnd().split("\n");

  test("who has none is told how to have one, and who does not hold the project as well", async () => {
    const none = await vendor.run(["overlay", "cap", path, "1%"]);
    expect(none).toMatchObject({ code: 1, stdout: "" });
    expect(none.stderr).toContain("this node writes no overlay of horizon");
    expect(none.stderr).toContain("headwater init horizon --overlay");
    const unheld = await vendor.run(["init", "nova", "--overlay"]);
    expect(unheld.code).toBe(1);
    expect(unheld.stderr).toMatch(/nova is not held here.*\n\s+hint: `headwater join`/);
    expect(existsSync(join(vendor.directory, "config/headwater/nova.overlay.root.key"))).toBe(
      false,
    );
  });

  test("the vendor's overlay is made where the project is held, once, beside what apps get", async () => {
    const made = await vendor.do(["init", project, "--overlay"]);
    expect(made).toContain("the overlay of horizon is ready");
    for (const ending of ["root.key", "term-2.grant", "term-3.grant"])
      expect(existsSync(join(vendor.directory, `config/headwater/horizon.overlay.${ending}`))).toBe(
        true,
      );
    expect((await vendor.evaluate(flag)).reason).toBe("FULL");
    const env = { XDG_CONFIG_HOME: join(vendor.directory, "elsewhere") };
    const admin = openAdminClient({ ...vendor.operatorEnv, ...env });
    await expect(admin.ledgers.prepareLedger({ project, overlay: true })).rejects.toThrow(
      "this node writes an overlay of horizon already",
    );
  });

  test("a site that joins again takes it up, keeping its flags meanwhile", async () => {
    await joinProcess(vendor, site);
    expect((await site.evaluate(flag)).reason).toBe("FULL");
    await site.do(["init", project, "--overlay"]);
    const said = await vendor.do(["overlay", "cap", path, "1%", "--note", "waiting for QA"]);
    expect(said).toContain('+ rule cap/new-scheduler: capped to 1 %; "waiting for QA"');
    for (const node of [vendor, site]) await answers(node, "CAPPED");
    expect((await root.evaluate(flag)).reason).toBe("FULL");
    await restartAll();
    for (const node of [vendor, site]) await answers(node, "CAPPED");
  }, 90_000);

  test("each hop says whose part is whose", async () => {
    await site.do(["overlay", "kill", "horizon/*", "--versions", "<2.3.0", "--note", "our kernel"]);
    await answers(site, "KILLED");
    expect(await explained(root)).toEqual([
      expect.stringMatching(/new-scheduler, FRESH$/),
      "",
      expect.stringMatching(/^LAYER +FROM/),
      expect.stringMatching(/^project +written here +sha256:\S+ +1\.2 +100 %$/),
      "",
      "a build of no published release: FULL, 100 %",
    ]);
    expect(await explained(vendor)).toEqual([
      expect.stringMatching(/new-scheduler, FRESH$/),
      "",
      expect.stringMatching(/^LAYER +FROM/),
      expect.stringMatching(/^project +upstream +sha256:\S+ +1\.2 +100 %$/),
      expect.stringMatching(
        /^overlay +written here +sha256:\S+ +1\.2 +capped to 1 % +waiting for QA$/,
      ),
      "",
      "a build of no published release: CAPPED, 1 %",
    ]);
    expect(await explained(site)).toEqual([
      expect.stringMatching(/new-scheduler, FRESH$/),
      "",
      expect.stringMatching(/^LAYER +FROM/),
      expect.stringMatching(/^project +acme +sha256:\S+ +1\.2 +100 %$/),
      expect.stringMatching(/^overlay +acme +sha256:\S+ +1\.2 +capped to 1 % +waiting for QA$/),
      expect.stringMatching(
        /^overlay +written here +sha256:\S+ +1\.2 +killed for <2\.3\.0 +our kernel$/,
      ),
      "",
      "a build of no published release: KILLED, 0 %",
    ]);
    expect(await site.do(["overlay", "list", project])).toMatch(
      /new-scheduler +capped to 1 % +waiting for QA +acme .*\n\* +killed for <2\.3\.0 +our kernel +written here /,
    );
  });

  test("every way to ask a node agrees on every instance", async () => {
    await vendor.do(["overlay", "cap", path, "40%"]);
    await site.do(["overlay", "clear", "horizon/*", "--kill"]);
    await site.do(["overlay", "cap", "horizon/*", "30%"]);
    await eventually("the site has both", async () =>
      (await explained(site)).includes("a build of no published release: CAPPED, 30 %"),
    );
    const { nodes } = openAdminClient(site.operatorEnv);
    let onCount = 0;
    for (let n = 0; n < 300; n++) {
      const of = { ...flag, instance: `i-${n}`, version: "2.3.0" };
      const [said, asked] = await Promise.all([nodes.explain(of), site.evaluate(of)]);
      expect(said.decision).toMatchObject(asked);
      if (n % 3 === 0) {
        const { instance, version } = of;
        const url = `http://${site.apps}`;
        const client = await connect({ url, project, version, instance, telemetry: "off" });
        expect(client.enabled("new-scheduler")).toBe(asked.enabled);
        await client.close();
      }
      if (asked.enabled) onCount++;
    }
    expect(onCount).toBeGreaterThan(0);
    expect(onCount).toBeLessThan(300);
  }, 60_000);

  test("a held flag stays when upstream goes on", async () => {
    await site.do(["overlay", "clear", "horizon/*"]);
    await root.do(["flag", "set", path, "20%", "--versions", ">=2.0.0"]);
    await eventually("the site has it", async () =>
      (await site.do(["explain", path])).includes("20 % for >=2.0.0"),
    );
    expect(await site.do(["overlay", "hold", path])).toContain(
      "+ rule cap/new-scheduler: capped to 20 % for >=2.0.0",
    );
    const pinned = await site.run(["overlay", "pin", path, "90%"]);
    expect(pinned.code).toBe(3);
    expect(pinned.stderr).toMatch(
      /no grant of horizon allows this overlay rule\/pin\/new-scheduler\n.*keys grant --overlay sha256:\w{64} --pin-max/,
    );
    await site.do(["overlay", "clear", path]);
  });

  test("an upstream kill survives every overlay, and restarts; a revive ends it", async () => {
    await root.do(["flag", "set", path, "100%", "--versions", "*"]);
    await root.do(["flag", "kill", path, "--note", "hangs"]);
    for (const node of [vendor, site]) await answers(node, "KILLED");
    await vendor.do(["overlay", "cap", path, "100%"]);
    await vendor.do(["overlay", "clear", path]);
    await site.do(["overlay", "cap", path, "100%"]);
    await restartAll();
    for (const node of [root, vendor, site])
      expect(await node.evaluate(flag)).toMatchObject({ enabled: false, reason: "KILLED" });
    await site.do(["overlay", "kill", path, "--note", "not here"]);
    await root.do(["flag", "revive", path]);
    for (const node of [root, vendor]) await answers(node, "FULL");
    expect((await site.evaluate(flag)).reason).toBe("KILLED");
    await site.do(["overlay", "clear", path, "--kill"]);
    await answers(site, "FULL");
  }, 90_000);
});
