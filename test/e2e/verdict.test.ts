import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "../../scripts/demo/eventually.ts";
import { joinProcess, NodeProcess } from "../../scripts/demo/node-process.ts";
import type { Client } from "../../sdk/client.ts";
import { connect } from "../../sdk/index.ts";

const flag = { project: "horizon", flag: "risky" };

describe("a site that kills what is bad there", () => {
  let root: NodeProcess;
  let site: NodeProcess;
  const apps: Client[] = [];

  beforeAll(async () => {
    root = await NodeProcess.start("upstream");
    site = await NodeProcess.start("plant", {
      HEADWATER_HEALTH_WINDOW: "3s",
      HEADWATER_ON_BAD: "kill",
    });
    await root.do(["init", "horizon"]);
    await root.do(
      ["apply", "--yes", "-f", "-"],
      'project: horizon\nflags: { risky: { percent: 50 } }\nreleases: ["2.3.0"]\n',
    );
    await joinProcess(root, site);
    await answers(site, "ROLLOUT");
  }, 90_000);

  afterAll(async () => {
    for (const app of apps) await app.close();
    for (const node of [site, root]) await node?.[Symbol.asyncDispose]();
  });

  const answers = (node: NodeProcess, reason: string) =>
    eventually(
      `${node.name} answers ${reason}`,
      async () => (await node.evaluate(flag)).reason === reason,
      60_000,
    );

  test("is told what it lacks until it writes an overlay", async () => {
    expect(await site.do(["status"])).toContain("headwater init horizon --overlay");
    await site.do(["init", "horizon", "--overlay"]);
    expect(await site.do(["status"])).not.toContain("HEADWATER_ON_BAD");
  });

  test("switches a path off on which instances fail, before upstream has heard", async () => {
    for (let n = 0; n < 80; n++) {
      const app = await connect({
        project: "horizon",
        version: "2.3.0",
        instance: `instance-${n}`,
        url: `http://${site.apps}`,
      });
      apps.push(app);
      app.health(app.enabled("risky") ? "FAILED" : "OK");
    }
    const failed = apps.filter((app) => app.enabled("risky"));
    expect(failed.length).toBeGreaterThan(20);
    await answers(site, "KILLED");
    await eventually("no app takes it", () => apps.every((app) => !app.enabled("risky")));
    expect(site.stderr).toContain("horizon: flag risky against off is BAD");
    expect(site.stderr).toContain("horizon: risky, in this site's own overlay");
    expect((await root.evaluate(flag)).reason).toBe("ROLLOUT");
    expect((await root.run(["fleet", "horizon"])).code).toBe(4);
  }, 120_000);

  test("shows the verdict, and who has killed, also after a restart", async () => {
    await site.kill();
    await site.restart();
    expect((await site.evaluate(flag)).reason).toBe("KILLED");
    expect(await site.do(["explain", "horizon/risky"])).toMatch(
      /overlay +written here .* killed for every build +a bad verdict at plant/,
    );
    const fleet = await eventually("somebody has reported again", async () => {
      const { code, stdout } = await site.run(["fleet", "horizon"]);
      return code === 0 && stdout;
    });
    expect(fleet).toMatch(/verdicts on flags, on against off\n +risky +bad/);
  }, 90_000);
});
