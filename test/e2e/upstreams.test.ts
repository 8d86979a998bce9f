import { expect, test } from "vitest";
import { eventually } from "../../scripts/demo/eventually.ts";
import { joinProcess, NodeProcess } from "../../scripts/demo/node-process.ts";

const flag = { project: "horizon", flag: "new-scheduler" };

test("a site with two parents follows either, and names the first as primary", async () => {
  await using root = await NodeProcess.start("upstream");
  await using acme = await NodeProcess.start("acme");
  await using bolt = await NodeProcess.start("bolt");
  await using site = await NodeProcess.start("plant");
  await root.do(["init", "horizon"]);
  await root.do(["flag", "set", "horizon/new-scheduler", "100%"]);
  for (const vendor of [acme, bolt]) {
    await joinProcess(root, vendor);
    await eventually("the vendor has it", async () => (await vendor.evaluate(flag)).enabled);
    await joinProcess(vendor, site);
  }
  const primary = async (): Promise<string | undefined> => {
    const status = JSON.parse(await site.do(["status", "--json"])) as {
      projects: { layers: { primary: string }[] }[];
    };
    return status.projects[0]?.layers[0]?.primary;
  };
  await eventually("the first is primary", async () => (await primary()) === "acme");

  await acme.kill();
  await eventually("the other has taken over", async () => (await primary()) === "bolt");
  await root.do(["flag", "kill", "horizon/new-scheduler"]);
  await eventually(
    "the kill has come",
    async () => (await site.evaluate(flag)).reason === "KILLED",
  );

  await acme.restart();
  await eventually("the first is primary again", async () => (await primary()) === "acme", 40_000);
  expect((await site.evaluate(flag)).reason).toBe("KILLED");
}, 120_000);

test("a parent with another authority for a project that is pinned is refused", async () => {
  await using root = await NodeProcess.start("upstream");
  await using impostor = await NodeProcess.start("impostor");
  await using site = await NodeProcess.start("plant");
  await root.do(["init", "horizon"]);
  await root.do(["flag", "set", "horizon/new-scheduler", "100%"]);
  await impostor.do(["init", "horizon"]);
  await joinProcess(root, site);
  await eventually("the site has it", async () => (await site.evaluate(flag)).enabled);

  const token = await impostor.do(["child", "add", "plant"]);
  const { code, stderr } = await site.run(["join", token.trim()]);
  expect(stderr).toMatch(/^error: .*authority.*\n\s+hint: /);
  expect(code).toBe(3);
  expect((await site.evaluate(flag)).enabled).toBe(true);
}, 60_000);
