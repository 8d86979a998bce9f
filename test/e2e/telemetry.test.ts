import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "../../scripts/demo/eventually.ts";
import { joinProcess, NodeProcess } from "../../scripts/demo/node-process.ts";
import type { Client } from "../../sdk/client.ts";
import { crashSignature } from "../../sdk/crash-signature.ts";
import { connect } from "../../sdk/index.ts";

const windows = { HEADWATER_WINDOW: "2s", HEADWATER_HEALTH_WINDOW: "2s" };

interface ShownWeight {
  readonly name: string;
  readonly basisPoints?: number;
  readonly count?: number;
}

interface ShownFleet {
  readonly weights?: { readonly releases?: ShownWeight[]; readonly flags?: ShownWeight[] };
  readonly reportersCount?: number;
}

describe("reports of a site go up two hops, rounded", () => {
  let root: NodeProcess;
  let vendor: NodeProcess;
  let site: NodeProcess;
  const apps: Client[] = [];

  beforeAll(async () => {
    root = await NodeProcess.start("upstream", windows);
    vendor = await NodeProcess.start("acme", { ...windows, HEADWATER_DISCLOSURE: "exact" });
    site = await NodeProcess.start("plant", windows);
    await root.do(["init", "horizon"]);
    await root.do(
      ["apply", "--yes", "-f", "-"],
      'project: horizon\nflags: { wide: { percent: 100 }, narrow: { percent: 0 } }\nreleases: ["2.2.0", "2.3.0"]\n',
    );
    await joinProcess(root, vendor);
    await eventually(
      "the vendor has it",
      async () => (await vendor.evaluate({ project: "horizon", flag: "wide" })).enabled,
    );
    await joinProcess(vendor, site);
    await eventually(
      "the site has it",
      async () => (await site.evaluate({ project: "horizon", flag: "wide" })).enabled,
    );
    for (let i = 0; i < 7; i++) {
      const app = await connect({
        project: "horizon",
        version: i < 6 ? "2.3.0" : "9.9.9-local",
        instance: `instance-${i}`,
        url: `http://${site.apps}`,
      });
      app.enabled("wide");
      app.enabled("narrow");
      app.health("OK");
      apps.push(app);
    }
  }, 240_000);

  afterAll(async () => {
    for (const app of apps) await app.close();
    for (const node of [site, vendor, root]) await node?.[Symbol.asyncDispose]();
  });

  test("nothing leaves before the operator says so", async () => {
    await eventually("all have reported", async () =>
      (await site.do(["status", "--json"])).includes('"instancesCount": 7'),
    );
    expect(await site.do(["telemetry", "preview", "horizon"])).toMatch(/off/);
    expect(await site.do(["telemetry", "log", "horizon", "--json"])).not.toContain("2.3.0");
  });

  test("then rounded weights arrive at the root, hop by hop", async () => {
    await site.do(["telemetry", "disclose", "rounded"]);
    const preview = await site.do(["telemetry", "preview", "horizon", "--json"]);
    expect(preview).toContain("2.3.0");
    expect(preview).not.toContain("9.9.9-local");
    expect(preview).not.toContain("instance-");
    const fleet = await eventually(
      "the root sees the fleet",
      async () => {
        const shown = JSON.parse(await root.do(["fleet", "horizon", "--json"])) as ShownFleet;
        return (shown.reportersCount ?? 0) > 0 &&
          shown.weights?.releases?.some((one) => (one.basisPoints ?? 0) > 0)
          ? shown
          : false;
      },
      30_000,
    );
    const share = (list: ShownWeight[] | undefined, name: string): number | undefined =>
      list?.find((weight) => weight.name === name)?.basisPoints;
    expect(share(fleet.weights?.releases, "2.3.0")).toBe(8_500);
    expect(share(fleet.weights?.releases, "other")).toBe(1_500);
    expect(share(fleet.weights?.flags, "wide")).toBe(10_000);
    expect(share(fleet.weights?.flags, "narrow")).toBe(0);
    expect(JSON.stringify(fleet)).not.toContain("9.9.9-local");
  }, 240_000);

  test("a crash of three instances that the project lists arrives at the root, another stays", async () => {
    const stacks = [0, 1].map((n) => ({
      stack: `Error: x\n    at run${n} (a.js:1:2)`,
      message: "x",
    }));
    for (const app of apps.slice(0, 3)) for (const stack of stacks) app.crash(stack);
    const [known = "", unknown = ""] = stacks.map(crashSignature);
    const file = `project: horizon\ncrashes: ["${known}"]\n`;
    await root.do(["apply", "--yes", "-f", "-"], file);
    await eventually(
      "the root sees the crash",
      async () =>
        (await root.do(["fleet", "horizon", "--json"])).includes('"crashes":') &&
        (await root.do(["fleet", "horizon"])).includes(known),
      30_000,
    );
    expect(await root.do(["fleet", "horizon", "--json"])).not.toContain(unknown);
    expect(await site.do(["fleet", "horizon"])).toMatch(
      new RegExp(`${unknown} +3 instances +stays here`),
    );
  }, 240_000);

  test("what has left is in the log of the node it left", async () => {
    const log = await eventually("the parent has answered", async () => {
      const text = await site.do(["telemetry", "log", "horizon", "--json"]);
      return text.includes("ACCEPTED") ? text : false;
    });
    expect(log).toContain("ROUNDED");
  });

  test("of the flags of a site that says only its most common release nothing is known, two hops up", async () => {
    await site.do(["telemetry", "disclose", "panel", "--tier", "under-100"]);
    const shown = await eventually(
      "the root says that it does not know",
      async () => {
        const text = await root.do(["fleet", "horizon"]);
        return text.includes("not known  which flags are on") ? text : false;
      },
      30_000,
    );
    expect(shown).toContain("of 1 of them only the most common release is known");
    const gate = await root.run(["gate", "horizon", "--active", "wide", "--share", "50%"]);
    expect(gate).toMatchObject({ code: 4 });
    expect(gate.stdout).toContain("nobody who runs it says which flags are on");
  }, 240_000);
});
