// A data directory for all later versions to be tried against: that of a node between a root and a site,
// which has something of almost everything that a node stores. What is there is never changed.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { brotliCompressSync } from "node:zlib";
import { connect } from "../sdk/index.ts";
import { eventually } from "./demo/eventually.ts";
import { joinProcess, NodeProcess } from "./demo/node-process.ts";

const [name] = process.argv.slice(2);
const kept = join(import.meta.dirname, "..", "test", "release", `${name}`);
if (name === undefined || existsSync(`${kept}.db.br`)) {
  process.stderr.write("keep-data-directory: name one that is not in test/release yet\n");
  process.exit(1);
}

const settings = {
  HEADWATER_WINDOW: "2s",
  HEADWATER_HEALTH_WINDOW: "2s",
  HEADWATER_CENSUS_WINDOW: "8s",
  HEADWATER_DISCLOSURE: "exact",
};
/** Documents, censuses and decisions of a rollout take several windows to come. */
const livesMs = 25_000;

await using root = await NodeProcess.start("upstream", settings);
await using acme = await NodeProcess.start("acme", settings);
await using plant = await NodeProcess.start("plant", settings);

await root.do(["init", "horizon"]);
await apply(root, [
  "project: horizon",
  'releases: ["2.3.0"]',
  "features: [old-api]",
  "flags: { fast-path: { percent: 100 }, new-scheduler: { percent: 50 } }",
]);
await joinProcess(root, acme);
await has(acme, "horizon", "fast-path");
await acme.do(["init", "acme-horizon"]);
await apply(acme, [
  "project: acme-horizon",
  'releases: ["1.0.0"]',
  "features: [patch]",
  "flags: { patched: { percent: 0 }, gone: { percent: 10 } }",
]);
await acme.do(["flag", "kill", "acme-horizon/gone"]);
await acme.do(["init", "horizon", "--overlay"]);
await acme.do(["overlay", "cap", "horizon/new-scheduler", "10%", "--note", "QA"]);
await acme.do(["token", "add", "ci", "--scope", "read"]);
await joinProcess(acme, plant);
await has(plant, "acme-horizon", "patched");
await has(plant, "horizon", "fast-path");
for (const project of ["horizon", "acme-horizon"]) {
  await acme.do(["census", "enroll", project, "--no-apps"]);
  await plant.do(["census", "enroll", project]);
}
await acme.do("census open acme-horizon --feature patch --window 8s --in 5s".split(" "));
await acme.do("rollout start acme-horizon/patched --steps 40%,100% --hops 1 --dwell 6s".split(" "));
const apps = await Promise.all([acme, plant].flatMap(appsOf));
await sleep(livesMs);
for (const app of apps) await app.close();
await acme.kill("SIGTERM");

const siteSecret = readFileSync(join(acme.dataDirectory, "site.secret"), "utf8").trim();
writeFileSync(`${kept}.json`, `${JSON.stringify({ wallMs: Date.now(), siteSecret }, null, 2)}\n`);
const database = readFileSync(join(acme.dataDirectory, "headwater.db"));
writeFileSync(`${kept}.db.br`, brotliCompressSync(database));

async function apply(node: NodeProcess, lines: readonly string[]): Promise<void> {
  await node.do(["apply", "--yes", "-f", "-"], `${lines.join("\n")}\n`);
}

async function has(node: NodeProcess, project: string, flag: string): Promise<void> {
  await eventually(
    `${node.name} has ${project}/${flag}`,
    async () => (await node.evaluate({ project, flag })).freshness === "FRESH",
  );
}

function appsOf(node: NodeProcess): ReturnType<typeof connect>[] {
  return ["2.3.0", "1.0.0"].map(async (version) => {
    const project = version === "1.0.0" ? "acme-horizon" : "horizon";
    const instance = `${node.name}-${version}`;
    const app = await connect({ project, version, instance, url: `http://${node.apps}` });
    app.enabled(version === "1.0.0" ? "patched" : "fast-path");
    app.health("OK");
    return app;
  });
}
