import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { NodeProcess } from "../../scripts/demo/node-process.ts";

test("a token that was joined with by a command outlives a restart beside an older join file", async () => {
  await using root = await NodeProcess.start("upstream");
  await root.do(["init", "horizon"]);
  await root.do(["flag", "set", "horizon/new-scheduler", "100%"]);
  const newToken = async (): Promise<string> => (await root.do(["child", "add", "plant"])).trim();
  const file = join(root.directory, "join.token");
  writeFileSync(file, await newToken());
  await using node = await NodeProcess.start("plant", { HEADWATER_JOIN_FILE: file });
  const answers = async (reason: string): Promise<void> => {
    const asked = { project: "horizon", flag: "new-scheduler" };
    const answered = async () => (await node.evaluate(asked)).reason;
    await expect.poll(answered, { timeout: 60_000 }).toBe(reason);
  };
  await answers("FULL");

  await node.do(["join", await newToken()]);
  await root.do(["child", "revoke", "plant", "--older"]);
  await node.kill("SIGTERM");
  await node.restart();
  await root.do(["flag", "kill", "horizon/new-scheduler"]);
  await answers("KILLED");

  // What the file says next counts again.
  const third = await newToken();
  await root.do(["child", "revoke", "plant", "--older"]);
  writeFileSync(file, third);
  await node.kill("SIGTERM");
  await node.restart();
  await root.do(["flag", "revive", "horizon/new-scheduler"]);
  await answers("FULL");
}, 240_000);
