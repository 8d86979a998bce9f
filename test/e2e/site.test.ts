import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { expect, type TestContext, test } from "vitest";
import { eventually } from "../../scripts/demo/eventually.ts";
import { joinProcess, NodeProcess } from "../../scripts/demo/node-process.ts";
import { connect } from "../../sdk/index.ts";
import { startedServer } from "../nodes/fanout/nats-server.ts";

test("a node with only NATS follows its site, and each hears the other's reports", async (context: TestContext) => {
  const nats = await startedServer(context);
  const of = { HEADWATER_SITE: "plant", HEADWATER_NATS_URL: nats.url() };
  await using root = await NodeProcess.start("upstream");
  await using first = await NodeProcess.start("plant-1", of);
  const secret = join(root.directory, "site.secret");
  copyFileSync(join(first.directory, "data/site.secret"), secret);
  await using second = await NodeProcess.start("plant-2", {
    ...of,
    HEADWATER_SITE_SECRET_FILE: secret,
  });
  await root.do(["init", "horizon"]);
  await root.do(["flag", "set", "horizon/new-scheduler", "100%"]);
  await joinProcess(root, first);

  const reasonAt = async (node: NodeProcess): Promise<string> =>
    (await node.evaluate({ project: "horizon", flag: "new-scheduler" })).reason;
  await eventually("the follower has caught up", async () => (await reasonAt(second)) === "FULL");
  await root.do(["flag", "kill", "horizon/new-scheduler"]);
  await eventually("the follower follows", async () => (await reasonAt(second)) === "KILLED");

  const app = await connect({
    project: "horizon",
    version: "2.3.0",
    instance: "i-1",
    url: `http://${second.apps}`,
  });
  await eventually("the first node has heard of it", async () =>
    (await first.do(["status", "--json"])).includes('"instancesCount": 1'),
  );
  await app.close();

  await nats.stop();
  await root.do(["flag", "revive", "horizon/new-scheduler"]);
  await eventually("a link is enough", async () => (await reasonAt(first)) === "FULL");
  expect(await reasonAt(second)).toBe("KILLED");
  await second.kill();
  await second.restart();
  expect(await reasonAt(second)).toBe("KILLED");
  await nats.start();
  await eventually(
    "it has caught up again",
    async () => (await reasonAt(second)) === "FULL",
    30_000,
  );
}, 120_000);
