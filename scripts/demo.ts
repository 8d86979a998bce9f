import { readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { AppCrowd } from "./demo/app-crowd.ts";
import { eventually } from "./demo/eventually.ts";
import { type Mesh, startMesh } from "./demo/mesh.ts";
import { readHistory, replay } from "./demo/replay.ts";
import { claim, msText, say } from "./demo/tour.ts";

const project = "horizon";
const flag = `${project}/new-scheduler`;

const help = `Usage: npm start [-- --once]

Runs a whole mesh on this machine: a root, a vendor, two sites and forty app instances, in a folder
of their own that is removed at the end. Tells what happens as it happens.

Options:
  --once   end after the tour, with 0, or 1 and the reason
  --help   print this

Example:
  $ npm start -- --once
`;

async function tour(mesh: Mesh, apps: AppCrowd): Promise<void> {
  await ramp(mesh, apps);
  await kill(mesh, apps);
  await history(mesh, apps);
  await documents(mesh);
  await vendorGone(mesh, apps);
  await rootGone(mesh, apps);
}

async function ramp({ root }: Mesh, apps: AppCrowd): Promise<void> {
  say.title("A path is ramped at the root");
  say.line(
    "Raising the percentage only ever adds instances; each app decides for itself, in memory.",
  );
  let former = 0;
  for (const percent of ["5%", "25%", "100%"]) {
    const startedMs = performance.now();
    await root.do(["flag", "set", flag, percent]);
    if (percent === "100%")
      await apps.until(flag, startedMs, (app) => app.enabled("new-scheduler"));
    else await eventually(`${flag} is at ${percent}`, () => apps.onCount("new-scheduler") > former);
    const count = apps.onCount("new-scheduler");
    claim(
      count > former && count <= apps.count,
      `${count} of ${apps.count} apps are on at ${percent}`,
    );
    say.line(
      `${percent.padStart(4)}  ${String(count).padStart(2)} of ${apps.count} instances are on`,
    );
    former = count;
  }
}

async function kill({ root, sites }: Mesh, apps: AppCrowd): Promise<void> {
  say.title("It is killed");
  const startedMs = performance.now();
  await root.do(["flag", "kill", flag, "--note", "hangs, see #456"]);
  const tookMs = await apps.until(
    `kill of ${flag}`,
    startedMs,
    (app) => !app.enabled("new-scheduler"),
  );
  say.line(`off at all ${apps.count} instances, ${msText(tookMs)} after the command was started`);
  const explained = await sites[0].do(["explain", flag]);
  claim(explained.includes("hangs, see #456"), "the site does not say why it was killed");
  say.line("headwater explain, at a site:");
  say.block(explained);
}

async function history({ root }: Mesh, apps: AppCrowd): Promise<void> {
  const past = readHistory();
  const first = past.changeSets[0]?.at.slice(0, 10);
  const last = past.changeSets.at(-1)?.at.slice(0, 10);
  say.title("A real rollout history goes through the mesh");
  say.line(
    `what a browser did from ${first} to ${last}: ${past.changeSets.length} change sets, ${past.killsCount} kills, ${past.removalsCount} removals`,
  );
  const tookMs = (await replay({ root, project, history: past, apps })).toSorted((a, b) => a - b);
  const at = (share: number): string => msText(tookMs[Math.ceil(share * tookMs.length) - 1] ?? 0);
  say.line(
    `from the call at the root to the last of ${apps.count} apps, three hops down, durable at each:`,
  );
  say.line(`p50 ${at(0.5)}, p99 ${at(0.99)}, slowest ${at(1)}`);
}

async function documents({ root, sites }: Mesh): Promise<void> {
  say.title("Telemetry goes up");
  say.line(
    "Sites and vendor disclose rounded weights; each window is a few seconds here, a day by default.",
  );
  const sent = await eventually("a site's document was taken by its parent", async () => {
    const log = await sites[0].do(["telemetry", "log", project]);
    return log.includes("ACCEPTED") ? log : undefined;
  });
  say.line("headwater telemetry log, at a site, the newest:");
  say.block(sent.split("\n").slice(0, 4).join("\n"));
  const fleet = await eventually(
    "the root has seen both releases through two hops",
    async () => {
      const shown = await root.do(["fleet", project]);
      return /2\.2\.0.*[1-9]/.test(shown) && /2\.3\.0.*[1-9]/.test(shown) ? shown : undefined;
    },
    40_000,
  );
  claim(!fleet.includes("instance-"), "an instance's name has left its site");
  say.line(
    "headwater fleet, at the root: which releases, whether they work, never how many or who",
  );
  say.block(fleet);
}

async function vendorGone({ root, vendor }: Mesh, apps: AppCrowd): Promise<void> {
  say.title("The vendor's node is killed");
  await vendor.kill();
  claim(apps.onCount("legacy-auth") === apps.count, "an app has lost a flag");
  say.line("apps keep their flags; the change below waits for it");
  await root.do(["flag", "revive", flag]);
  const startedMs = performance.now();
  await vendor.restart();
  const tookMs = await apps.until("the change that waited", startedMs, (app) =>
    app.enabled("new-scheduler"),
  );
  say.line(`restarted: ${msText(tookMs)} later every app has the change`);
}

async function rootGone({ root, sites }: Mesh, apps: AppCrowd): Promise<void> {
  say.title("The root is gone");
  await root.kill();
  await sites[1].kill();
  await sites[1].restart();
  const answer = await sites[1].evaluate({ project, flag: "new-scheduler" });
  claim(
    answer.enabled && answer.reason === "FULL",
    `a restarted site answers ${JSON.stringify(answer)}`,
  );
  claim(apps.onCount("new-scheduler") === apps.count, "an app has lost a flag");
  say.line("a site that is restarted meanwhile still serves what it had");
  await root.restart();
}

function whereToLook({ root, vendor, sites }: Mesh): void {
  say.title("Look around");
  for (const node of [root, vendor, ...sites])
    say.line(`${node.name.padEnd(9)} apps http://${node.apps}  admin http://${node.admin}`);
  say.line("speak to the root, or to another by its address and folder:");
  say.line(
    `  export HEADWATER_ADMIN_URL=http://${root.admin} HEADWATER_DATA_DIR=${root.dataDirectory}`,
  );
  say.line("  npx headwater status");
  say.line(`  npx headwater flag set ${flag} 50%`);
  say.line(`  npx headwater fleet ${project}`);
}

async function run(once: boolean, signal: AbortSignal): Promise<void> {
  say.title("A root, a vendor and two sites, each a process");
  await using mesh = await startMesh(project);
  say.line("joined with one token each: headwater child add NAME, headwater join TOKEN");
  await mesh.root.do(["apply", "--yes", "-f", join(import.meta.dirname, "demo/flags.yaml")]);
  say.line("flags of the project, applied from a file:");
  say.block(readFileSync(join(import.meta.dirname, "demo/flags.yaml"), "utf8"));
  const urls = mesh.sites.map(({ apps }) => `http://${apps}`);
  await using apps = await AppCrowd.start({
    project,
    urls,
    countAtEach: 20,
    releases: ["2.2.0", "2.3.0"],
  });
  await apps.until("the flag file", performance.now(), (app) => app.enabled("legacy-auth"));
  say.line(`${apps.count} app instances of two releases have their flags`);
  await Promise.race([tour(mesh, apps), aborted(signal)]);
  whereToLook(mesh);
  if (once) return say.title("Done: every step did what it says.");
  say.title("The mesh stays up; Ctrl-C ends it.");
  await aborted(signal).catch(() => {});
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) return reject(new Error("interrupted"));
    signal.addEventListener("abort", () => reject(new Error("interrupted")), { once: true });
  });
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { once: { type: "boolean" }, help: { type: "boolean" } },
  });
  if (values.help === true) {
    process.stdout.write(help);
    return;
  }
  const stop = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, () => stop.abort());
  await run(values.once === true, stop.signal);
}

await main().catch((thrown: unknown) => {
  process.exitCode = 1;
  process.stderr.write(`error: ${thrown instanceof Error ? thrown.message : String(thrown)}\n`);
});
