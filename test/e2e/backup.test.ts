import { renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { eventually } from "../../scripts/demo/eventually.ts";
import { joinProcess, NodeProcess } from "../../scripts/demo/node-process.ts";

test("a root that is lost and restored gets back what was signed after its backup", async () => {
  await using root = await NodeProcess.start("upstream");
  await using site = await NodeProcess.start("plant");
  const safe = join(root.directory, "safe");
  await root.do(["init", "horizon"]);
  await root.do(["flag", "set", "horizon/new-scheduler", "100%"]);
  await joinProcess(root, site);
  await root.do(["backup", safe]);
  await root.do(["flag", "kill", "horizon/new-scheduler", "--note", "hangs, see #456"]);
  const reasonAt = async (node: NodeProcess): Promise<string> =>
    (await node.evaluate({ project: "horizon", flag: "new-scheduler" })).reason;
  await eventually("the kill arrives", async () => (await reasonAt(site)) === "KILLED", 60_000);

  await root.kill();
  rmSync(root.dataDirectory, { recursive: true });
  renameSync(safe, root.dataDirectory);
  await root.restart();
  const early = await root.run(["flag", "set", "horizon/another", "5%"]);
  expect(early.code).toBe(3);
  expect(early.stderr).toMatch(/this node runs on a copy of .* and waits another \d+ s/);
  expect(early.stderr).toContain("It goes on by itself");
  await eventually(
    "it has the kill again",
    async () => (await reasonAt(root)) === "KILLED",
    90_000,
  );
  expect(await root.do(["explain", "horizon/new-scheduler"])).toContain("hangs, see #456");
  expect(await reasonAt(site)).toBe("KILLED");
}, 240_000);
