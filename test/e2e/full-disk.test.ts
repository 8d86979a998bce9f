import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { eventually } from "../../scripts/demo/eventually.ts";
import { NodeProcess } from "../../scripts/demo/node-process.ts";
import { mountSmallDisk } from "../nodes/store/small-disk.ts";

/** Takes all the room that is left. */
function fill(file: string): void {
  const descriptor = openSync(file, "a");
  try {
    for (;;) writeFileSync(descriptor, Buffer.alloc(4_096));
  } catch (error) {
    expect(String(error)).toContain("ENOSPC");
  } finally {
    closeSync(descriptor);
  }
}

test("a node that joins by a file serves what it has after a restart on a full disk", async (context) => {
  const disk = mkdtempSync(join(tmpdir(), "headwater-disk-"));
  onTestFinished(() => rmSync(disk, { recursive: true, force: true }));
  if (!mountSmallDisk(disk)) context.skip("only root can mount a small disk to fill");
  await using root = await NodeProcess.start("upstream");
  await root.do(["init", "horizon"]);
  await root.do(["flag", "set", "horizon/new-scheduler", "100%"]);
  const token = join(root.directory, "join.token");
  writeFileSync(token, await root.do(["child", "add", "plant"]));
  await using node = await NodeProcess.start("plant", {
    HEADWATER_DATA_DIR: join(disk, "data"),
    HEADWATER_JOIN_FILE: token,
  });
  const reason = async (): Promise<string> =>
    (await node.evaluate({ project: "horizon", flag: "new-scheduler" })).reason;
  await eventually("the flag arrives", async () => (await reason()) === "FULL");

  await node.kill("SIGTERM");
  writeFileSync(token, await root.do(["child", "add", "plant"]));
  fill(join(disk, "ballast"));
  await node.restart();
  expect(await reason()).toBe("FULL");
  expect(node.stderr).toMatch(/HEADWATER_JOIN_FILE: nothing was changed: .* is full/);
  rmSync(join(disk, "ballast"));
  await root.do(["flag", "kill", "horizon/new-scheduler"]);
  await eventually("the kill arrives", async () => (await reason()) === "KILLED", 60_000);
}, 240_000);
