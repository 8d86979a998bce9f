import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "../../scripts/demo/eventually.ts";
import { joinProcess, NodeProcess } from "../../scripts/demo/node-process.ts";
import type { Client } from "../../sdk/client.ts";
import { connect } from "../../sdk/index.ts";

const windows = { HEADWATER_WINDOW: "2s", HEADWATER_HEALTH_WINDOW: "2s" };

/** The site is one link below the root, so documents need three windows. */
const plan = ["--hops", "1", "--dwell", "6s"];

interface Shown {
  readonly rollout: { readonly state: string; readonly reason: string };
  readonly decisions: readonly { readonly decision: string; readonly reason: string }[];
}

describe("rollouts of a root, judged at a site with seventy apps", () => {
  let root: NodeProcess;
  let site: NodeProcess;
  const apps: Client[] = [];

  beforeAll(async () => {
    root = await NodeProcess.start("upstream", windows);
    site = await NodeProcess.start("plant", { ...windows, HEADWATER_DISCLOSURE: "rounded" });
    await root.do(["init", "horizon"]);
    await root.do(
      ["apply", "--yes", "-f", "-"],
      'project: horizon\nflags: { good: { percent: 0 }, hangs: { percent: 0 }, kept: { percent: 0 } }\nreleases: ["2.3.0"]\n',
    );
    await joinProcess(root, site);
    await eventually("the site has it", async () => (await reasonOf("good")) === "OFF");
    for (let n = 0; n < 70; n++) {
      const app = await connect({
        project: "horizon",
        version: "2.3.0",
        instance: `instance-${n}`,
        url: `http://${site.apps}`,
      });
      const run = (): void => {
        app.enabled("good");
        app.health(app.enabled("hangs") ? "FAILED" : "OK");
      };
      app.on("change", run);
      run();
      apps.push(app);
    }
  }, 120_000);

  afterAll(async () => {
    for (const app of apps) await app.close();
    for (const node of [site, root]) await node?.[Symbol.asyncDispose]();
  });

  const reasonOf = async (flag: string) =>
    (await site.evaluate({ project: "horizon", flag, version: "2.3.0" })).reason;
  const shown = async (flag: string) =>
    JSON.parse(await root.do(["rollout", "status", `horizon/${flag}`, "--json"])) as Shown;
  const ends = (flag: string) =>
    eventually(
      `the rollout of ${flag} ends`,
      async () => {
        const status = await shown(flag);
        return status.rollout.state !== "RUNNING" && status;
      },
      120_000,
    );

  test("what does well ramps to 100 % by itself, though the root is killed on the way", async () => {
    const started = await root.do([
      "rollout",
      "start",
      "horizon/good",
      "--steps",
      "40%,60%,100%",
      ...plan,
    ]);
    expect(started).toMatch(/^horizon\/good {2}running: a step has begun\n/);
    await root.kill();
    await root.restart();
    const { rollout, decisions } = await ends("good");
    expect(rollout).toMatchObject({ state: "DONE", reason: "the last step has held" });
    const steps = decisions.filter(({ decision }) => decision !== "WAIT").reverse();
    expect(steps.map(({ reason }) => reason)).toEqual([
      "to 60 %",
      "to 100 %",
      "the last step has held",
    ]);
    await eventually("every app takes it", () => apps.every((app) => app.enabled("good")));
    const gate = await root.run([
      "gate",
      "horizon",
      "--verdict",
      "ok",
      "--flag",
      "good",
      "--active",
      "good",
      "--share",
      "99%",
    ]);
    expect(gate.stdout).toMatch(/^yes\n/);
    expect(gate.code).toBe(0);
  }, 180_000);

  test("the percentage is its own while it runs or is paused", async () => {
    await root.do(["rollout", "start", "horizon/kept", "--steps", "1%,2%", "--dwell", "1d"]);
    await root.do(["rollout", "pause", "horizon/kept"]);
    const refused = await root.run(
      ["apply", "--yes", "-f", "-"],
      "project: horizon\nflags: { kept: { percent: 100 } }\n",
    );
    expect(refused.code).toBe(3);
    expect(refused.stderr).toContain("a rollout owns the percentage of kept");
    const set = await root.run(["flag", "set", "horizon/kept", "100%"]);
    expect(set.stderr).toContain("a rollout owns");
    await root.do(["rollout", "abort", "horizon/kept"]);
    expect((await root.run(["flag", "set", "horizon/kept", "3%"])).code).toBe(0);
  }, 120_000);

  test("what hangs halts by itself, and the path is killed", async () => {
    await root.do([
      "rollout",
      "start",
      "horizon/hangs",
      "--steps",
      "40%,100%",
      "--on-bad",
      "kill",
      ...plan,
    ]);
    const { rollout, decisions } = await ends("hangs");
    expect(rollout).toMatchObject({ state: "HALTED", reason: "the flag is bad" });
    expect(decisions[0]).toMatchObject({ decision: "HALT", facts: { flagVerdict: "BAD" } });
    expect(decisions.map(({ decision }) => decision)).not.toContain("PROMOTE");
    await eventually("the site has the kill", async () => (await reasonOf("hangs")) === "KILLED");
    await eventually("no app takes it", () => apps.every((app) => !app.enabled("hangs")));
    expect(await root.do(["flag", "history", "horizon/hangs"])).toContain("rollout of hangs");
    const gate = await root.run(["gate", "horizon", "--verdict", "ok", "--flag", "hangs"]);
    expect(gate).toMatchObject({ code: 1, stdout: expect.stringContaining("it is bad") });
  }, 180_000);
});
