import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually } from "../../scripts/demo/eventually.ts";
import { joinProcess, NodeProcess } from "../../scripts/demo/node-process.ts";
import { connect } from "../../sdk/index.ts";

const windows = { HEADWATER_WINDOW: "1s", HEADWATER_HEALTH_WINDOW: "1s" };

/** Where each process writes down, at its end, which functions ran and how often. */
const coverage = mkdtempSync(join(tmpdir(), "headwater-coverage-"));

let root: NodeProcess;
let vendor: NodeProcess;
let site: NodeProcess;

beforeAll(async () => {
  const counted = (name: string) => ({ ...windows, NODE_V8_COVERAGE: join(coverage, name) });
  [root, vendor, site] = await Promise.all([
    NodeProcess.start("upstream", { ...counted("upstream"), HEADWATER_TELEMETRY: "off" }),
    NodeProcess.start("acme", {
      ...counted("acme"),
      DO_NOT_TRACK: "1",
      HEADWATER_DISCLOSURE: "exact",
      HEADWATER_ON_BAD: "kill",
    }),
    NodeProcess.start("plant", { ...counted("plant"), HEADWATER_DISCLOSURE: "exact" }),
  ]);
  await root.do(["init", "horizon"]);
  const file = 'project: horizon\nflags: { wide: { percent: 100 } }\nreleases: ["2.3.0"]\n';
  await root.do(["apply", "--yes", "-f", "-"], file);
  await joinProcess(root, vendor);
  await has(vendor, { enabled: true });
  await joinProcess(vendor, site);
  await has(site, { enabled: true });
}, 120_000);

afterAll(async () => {
  for (const node of [site, vendor, root]) await node?.[Symbol.asyncDispose]();
  rmSync(coverage, { recursive: true, force: true });
});

function has(node: NodeProcess, wanted: { enabled: boolean; reason?: string }): Promise<unknown> {
  return eventually(`${node.name} answers ${JSON.stringify(wanted)}`, async () => {
    const answer = await node.evaluate({ project: "horizon", flag: "wide" });
    return answer.enabled === wanted.enabled && answer.reason === (wanted.reason ?? answer.reason);
  });
}

/** Functions of the core's telemetry that ran; loading a module runs none of them. */
function telemetryRun(name: string): string[] {
  const directory = join(coverage, name);
  interface Covered {
    readonly functionName: string;
    readonly ranges: readonly { readonly startOffset: number; readonly count: number }[];
  }
  return readdirSync(directory).flatMap((file) => {
    const { result } = JSON.parse(readFileSync(join(directory, file), "utf8")) as {
      result: readonly { readonly url: string; readonly functions: readonly Covered[] }[];
    };
    return result
      .filter(({ url }) => url.includes("/relay/telemetry/"))
      .flatMap(({ url, functions }) =>
        functions.flatMap(({ functionName, ranges: [whole] }) =>
          whole === undefined || whole.startOffset === 0 || whole.count === 0
            ? []
            : [`${url.slice(url.lastIndexOf("/") + 1)} ${functionName}`],
        ),
      );
  });
}

test("an app is told that reports are not wanted, and has its flags all the same", async () => {
  for (const node of [root, vendor]) {
    const app = await connect({ project: "horizon", version: "2.3.0", url: `http://${node.apps}` });
    expect(app.enabled("wide")).toBe(true);
    app.health("FAILED");
    app.crash(new Error("gone"));
    await app.close();
    expect(app.problems).toEqual([]);
    const report = { project: "horizon", version: "2.3.0", health: "OK", instance: "i-1" };
    const answer = await fetch(`http://${node.apps}/headwater.v1.TelemetryService/Report`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(report),
    });
    expect(await answer.json()).toEqual({
      code: "permission_denied",
      message: "telemetry is off at this node",
    });
    const exported = await fetch(`http://${node.apps}/v1/logs`, { method: "POST", body: "{}" });
    expect(exported.status).toBe(403);
  }
});

test("a child that discloses is told so too, and does not insist", async () => {
  const log = await eventually("the child was answered", async () => {
    const said = await site.do(["telemetry", "log", "horizon"]);
    return /TELEMETRY_OFF/.test(said) && said;
  });
  expect(log).not.toContain("ACCEPTED");
});

test("operators learn why there is nothing to see", async () => {
  expect(await vendor.run(["fleet", "horizon"])).toMatchObject({
    code: 3,
    stderr: expect.stringContaining("telemetry is off at this node"),
  });
  expect(await vendor.do(["telemetry", "preview", "horizon"])).toContain("telemetry is off");
  const status = await vendor.do(["status"]);
  expect(status).toContain("telemetry is off");
  expect(status).toContain("HEADWATER_ON_BAD");
});

test("a change, a kill and a restart do what they do, and no code of telemetry has run", async () => {
  await root.do(["flag", "set", "horizon/wide", "0%"]);
  await has(site, { enabled: false });
  await root.do(["flag", "set", "horizon/wide", "100%"]);
  await has(site, { enabled: true });
  await root.do(["flag", "kill", "horizon/wide"]);
  await has(site, { enabled: false, reason: "KILLED" });
  await vendor.kill("SIGTERM");
  await vendor.restart();
  await root.do(["flag", "revive", "horizon/wide"]);
  await has(site, { enabled: true });
  for (const node of [root, vendor, site]) await node.kill("SIGTERM");
  expect(telemetryRun("upstream")).toEqual([]);
  expect(telemetryRun("acme")).toEqual([]);
  // Where it is on it does run, and is seen.
  expect(telemetryRun("plant")).toContain("outbox.ts due");
});
