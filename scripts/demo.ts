import { constants } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { openAdminClient } from "../nodes/cli/admin-client.ts";
import { AppCrowd } from "./demo/app-crowd.ts";
import type { Instance } from "./demo/app-message.ts";
import { TourFailure } from "./demo/claim.ts";
import { documents } from "./demo/documents.ts";
import { IntendedFlags } from "./demo/intended-flags.ts";
import { arrival, joinMesh, type Mesh, startMesh } from "./demo/mesh.ts";
import type { NodeProcess } from "./demo/node-process.ts";
import { typeAt } from "./demo/operator.ts";
import { rootGone, vendorGone } from "./demo/outage.ts";
import { kill, ramp } from "./demo/ramp.ts";
import { replay } from "./demo/replay.ts";
import { type RolloutHistory, readHistory } from "./demo/rollout-history.ts";
import { say } from "./demo/say.ts";
import { siteOutage } from "./demo/site-outage.ts";
import { settled, type Tour } from "./demo/tour.ts";

const project = "browser";
const flag = "dark-pages";
const releases = ["98.1.37.50", "110.1.49.83"] as const;
const instancesCountAtEach = 20;

/** Each is a process; more would say nothing more. */
const siteNodesCountMax = 9;

const help = `Usage: npm start [-- [--once] [--site-nodes N]]

Runs a whole mesh on this machine: a root, a vendor, two sites and forty app instances, in folders
of their own that are removed at the end. Tells what happens as it happens, and stays up until
Ctrl-C.

Options:
  --once          end after the tour, with 0, or with 1 and the reason if a step failed
  --site-nodes N  run the first site on N nodes, which share a real nats-server (default: 1)
  --help          print this

Examples:
  $ npm start -- --once
  $ npm start -- --site-nodes 3
`;

async function run(once: boolean, siteNodesCount: number): Promise<void> {
  const history = readHistory(project);
  await using mesh = await openMesh(siteNodesCount);
  await using apps = await openApps(mesh, history);
  const admin = openAdminClient(mesh.root.operatorEnv);
  try {
    await tell({ project, flag, mesh, apps, admin }, history);
  } catch (thrown) {
    throw withNodesGone(thrown, mesh);
  }
  tellWhereToLook(mesh);
  if (once) return say.title("Every step did what it says.");
  say.title("The mesh stays up; Ctrl-C ends it.");
  isStaying = true;
  await new Promise(() => {});
}

async function tell(tour: Tour, history: RolloutHistory): Promise<void> {
  await settled(tour, "the flag file");
  const count = tour.apps.instances.length;
  say.line(`${count} app instances of two releases see what the file says`);
  await ramp(tour);
  await kill(tour);
  await replay(tour, history);
  await documents(tour);
  await vendorGone(tour);
  await rootGone(tour);
  if (tour.mesh.cluster !== undefined) await siteOutage(tour, tour.mesh.cluster);
}

/** A node that is gone is the likely reason for whatever did not happen. */
function withNodesGone(thrown: unknown, mesh: Mesh): unknown {
  const gone = nodesOf(mesh).filter(({ isRunning }) => !isRunning);
  if (gone.length === 0 || !(thrown instanceof Error)) return thrown;
  const lines = gone.map(({ name, stderr }) => {
    const last = stderr.trimEnd().split("\n").at(-1);
    return `the node ${name} does not run; it said last: ${last}`;
  });
  return new TourFailure([thrown.message, ...lines].join("\n  "));
}

async function openMesh(siteNodesCount: number): Promise<Mesh> {
  say.title("A mesh: a root, a vendor and two sites, each a process");
  await using parts = new AsyncDisposableStack();
  const count = 3 + siteNodesCount;
  const mesh = parts.use(await say.during(`starting ${count} nodes`, startMesh(siteNodesCount)));
  const { root, vendor, sites, cluster } = mesh;
  for (const node of nodesOf(mesh))
    say.line(`${node.name.padEnd(10)} apps ${node.apps}  nodes ${node.mesh}  admin ${node.admin}`);
  say.line("The root starts a project. Flags will be signed here, and checked at each node below.");
  say.block(await typeAt(root, ["init", project]));
  say.line("One paste joins a node to its parent, over TLS.");
  await joinMesh({ parent: root, child: vendor, project });
  for (const site of sites) await joinMesh({ parent: vendor, child: site, project });
  if (cluster !== undefined) await joinCluster(vendor, cluster.others);
  const running = parts.move();
  return { ...mesh, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

/** One more node of the site has a parent, so that it can lose one; the rest only has NATS. */
async function joinCluster(parent: NodeProcess, others: readonly NodeProcess[]): Promise<void> {
  const [second] = others;
  if (second !== undefined) await joinMesh({ parent, child: second, project });
  for (const node of others)
    await say.during(`${node.name} hears of it over NATS`, arrival(node, project));
}

function nodesOf({ root, vendor, sites, cluster }: Mesh): NodeProcess[] {
  return [root, vendor, ...sites, ...(cluster?.others ?? [])];
}

async function openApps(mesh: Mesh, history: RolloutHistory): Promise<AppCrowd> {
  const { root, sites, cluster } = mesh;
  const [first, second] = sites;
  say.title("Flags come from a file, and apps ask for them");
  const file = join(import.meta.dirname, "demo", "flags.yaml");
  const shown = ["apply", "--yes", "-f", "scripts/demo/flags.yaml"];
  say.block(await typeAt(root, ["apply", "--yes", "-f", file], shown));
  const { names } = await IntendedFlags.read(openAdminClient(root.operatorEnv), project);
  const starting = AppCrowd.start({
    project,
    nodes: [...shared([first, ...(cluster?.others ?? [])]), ...shared([second])],
    flags: [...names.map((name) => ({ name, otherwise: false })), ...history.flags],
  });
  return say.during("starting apps", starting);
}

/** A site's instances, each at one of its nodes; where that is gone it tries the next. */
function shared(nodes: readonly NodeProcess[]): { urls: string[]; instances: Instance[] }[] {
  const [{ name } = { name: "" }] = nodes;
  return nodes.map((_, i) => ({
    urls: [...nodes.slice(i), ...nodes.slice(0, i)].map(({ apps }) => `http://${apps}`),
    instances: instancesOf(name).filter((_instance, at) => at % nodes.length === i),
  }));
}

/** Half of them on each release, and one that is not well. */
function instancesOf(site: string): Instance[] {
  return Array.from({ length: instancesCountAtEach }, (_, i) => ({
    id: `${site}-app-${i + 1}`,
    version: releases[i % 2 === 0 ? 0 : 1],
    health: i === 7 ? "DEGRADED" : "OK",
  }));
}

function tellWhereToLook(mesh: Mesh): void {
  const { root, sites } = mesh;
  const [site] = sites;
  say.title("Look around");
  for (const node of nodesOf(mesh))
    say.line(`${node.name.padEnd(10)} http://${node.admin}/healthz`);
  say.line("Say which node commands speak to; another one by its address and folder:");
  say.line(`  export HEADWATER_ADMIN_URL=http://${root.admin}`);
  say.line(`  export HEADWATER_DATA_DIR=${root.dataDirectory}`);
  for (const command of ["status", `flag set ${project}/${flag} 75%`, `fleet ${project}`])
    say.line(`  npx headwater ${command}`);
  say.line("Ask what an app would ask, at a site:");
  const question = JSON.stringify({ project, flag, instance: "i-1", version: releases[1] });
  say.line(`  curl -s -H 'content-type: application/json' -d '${question}' \\`);
  say.line(`    http://${site.apps}/headwater.v1.FlagService/Evaluate`);
}

function siteNodesCountOf(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= siteNodesCountMax) return count;
  throw new Error(`--site-nodes: a number from 1 to ${siteNodesCountMax}, not ${text}`);
}

/** Whether there is nothing left to do but to wait for the interrupt. */
let isStaying = false;

for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(name, () => {
    if (isStaying && name === "SIGINT") process.exit(0);
    if (!isStaying) process.stderr.write("\nerror: interrupted before the tour was over\n");
    process.exit(128 + constants.signals[name]);
  });
}

try {
  const { values } = parseArgs({
    options: {
      once: { type: "boolean" },
      "site-nodes": { type: "string", default: "1" },
      help: { type: "boolean" },
    },
  });
  if (values.help === true) process.stdout.write(help);
  else await run(values.once === true, siteNodesCountOf(values["site-nodes"]));
  process.exit(0);
} catch (thrown) {
  process.stderr.write(`error: ${thrown instanceof Error ? thrown.message : String(thrown)}\n`);
  process.exit(1);
}
