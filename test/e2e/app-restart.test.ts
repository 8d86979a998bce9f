import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { eventually } from "../../scripts/demo/eventually.ts";
import { joinProcess, NodeProcess } from "../../scripts/demo/node-process.ts";
import type { Client } from "../../sdk/client.ts";
import { connect } from "../../sdk/index.ts";

const flags = 'project: horizon\nflags: { wide: { percent: 100 } }\nreleases: ["2.3.0"]\n';

async function startNode(name: string): Promise<NodeProcess> {
  const node = await NodeProcess.start(name);
  onTestFinished(() => node[Symbol.asyncDispose]());
  return node;
}

test("an app that starts again at a node which is behind, and FRESH, keeps a kill that it had seen", async () => {
  const root = await startNode("root");
  const site = await startNode("site");
  await root.do(["init", "horizon"]);
  await root.do(["apply", "--yes", "-f", "-"], flags);
  await joinProcess(root, site);
  const asked = { project: "horizon", flag: "wide" };
  await eventually("the site follows", async () => (await site.evaluate(asked)).enabled, 60_000);

  const directory = mkdtempSync(join(tmpdir(), "headwater-app-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const open = async (node: NodeProcess): Promise<Client> => {
    const url = `http://${node.apps}`;
    const cacheFile = join(directory, "cache.json");
    const app = await connect({ project: "horizon", version: "2.3.0", url, cacheFile });
    onTestFinished(() => app.close());
    return app;
  };
  const first = await open(root);
  expect(first.enabled("wide")).toBe(true);
  await site.kill();
  await root.do(["flag", "kill", "horizon/wide"]);
  await eventually("the app has the kill", () => !first.enabled("wide"), 60_000);
  await first.close();
  await root.kill();
  await site.restart();
  expect(await site.evaluate(asked)).toMatchObject({ enabled: true, freshness: "FRESH" });

  const second = await open(site);
  const isBehind = () => second.problems.some((problem) => problem.includes("less far"));
  await eventually("the app hears that the node is behind", isBehind, 60_000);
  expect(second.details("wide")).toMatchObject({ reason: "KILLED", freshness: "STALE" });
  await root.restart();
  await eventually("the site has caught up", () => second.freshness === "FRESH", 120_000);
  expect(second.details("wide")).toMatchObject({ reason: "KILLED" });
}, 400_000);
