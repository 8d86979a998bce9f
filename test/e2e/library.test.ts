import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "../../scripts/demo/eventually.ts";
import { joinProcess, NodeProcess } from "../../scripts/demo/node-process.ts";
import type { Client } from "../../sdk/client.ts";
import { connect } from "../../sdk/index.ts";

const windows = { HEADWATER_WINDOW: "2s", HEADWATER_HEALTH_WINDOW: "2s" };

interface ShownFleet {
  readonly weights?: {
    readonly releases?: { readonly name: string; readonly basisPoints?: number }[];
  };
}

describe("a library inside an application", () => {
  let library: NodeProcess;
  let application: NodeProcess;
  let site: NodeProcess;
  let authority: string;
  const apps: Client[] = [];

  beforeAll(async () => {
    library = await NodeProcess.start("oslo-root", windows);
    application = await NodeProcess.start("horizon-root", windows);
    site = await NodeProcess.start("plant", windows);
    const made = await library.do(["init", "oslo", "--json"]);
    ({ authority } = JSON.parse(made) as { authority: string });
    await library.do(
      ["apply", "--yes", "-f", "-"],
      'project: oslo\nflags: { fast-json: { percent: 100 } }\nreleases: ["7.0", "7.1"]\n',
    );
    await application.do(["init", "horizon"]);
    await application.do(
      ["apply", "--yes", "-f", "-"],
      'project: horizon\nflags: { wide: { percent: 100 } }\nreleases: ["2.3.0"]\n',
    );
    await joinProcess(application, site);
    await eventually(
      "the site has the application",
      async () => (await site.evaluate({ project: "horizon", flag: "wide" })).enabled,
      120_000,
    );
  }, 400_000);

  afterAll(async () => {
    for (const app of apps) await app.close();
    for (const node of [site, application, library]) await node?.[Symbol.asyncDispose]();
  });

  test("comes to a site with the application's word for it, the site doing nothing", async () => {
    await joinProcess(library, application);
    const file = `project: horizon\nlibraries: { oslo: "${authority}" }\n`;
    const told = await application.do(["apply", "--yes", "-f", "-"], file);
    expect(told).toContain(`library oslo: ${authority}`);
    await eventually(
      "the site has the library",
      async () => (await site.evaluate({ project: "oslo", flag: "fast-json" })).enabled,
      120_000,
    );
  }, 240_000);

  test("is known to its root by what applications report, without their name", async () => {
    for (const [n, version] of ["7.1", "7.1", "7.1", "7.0", "9-patched"].entries())
      apps.push(
        await connect({
          project: "horizon",
          version: "2.3.0",
          instance: `secret-instance-${n}`,
          dependencies: { oslo: version, unknown: "1.0" },
          url: `http://${site.apps}`,
        }),
      );
    await site.do(["telemetry", "disclose", "exact"]);
    await application.do(["telemetry", "disclose", "rounded"]);
    const fleet = await eventually(
      "the library's root sees its releases",
      async () => {
        const shown = JSON.parse(await library.do(["fleet", "oslo", "--json"])) as ShownFleet;
        return shown.weights?.releases?.some((one) => (one.basisPoints ?? 0) >= 5_000)
          ? shown
          : false;
      },
      240_000,
    );
    const shares = new Map(
      fleet.weights?.releases?.map(({ name, basisPoints }) => [name, basisPoints]),
    );
    expect([shares.get("7.1"), shares.get("7.0"), shares.get("other")]).toEqual([
      6_000, 2_000, 2_000,
    ]);
    for (const node of [site, application]) {
      const log = JSON.parse(await node.do(["telemetry", "log", "oslo", "--json"])) as {
        document: object;
      }[];
      expect(log.length).toBeGreaterThan(0);
      for (const { document } of log) {
        const text = JSON.stringify(document);
        for (const word of ["horizon", "2.3.0", "secret-instance", "patched", "plant"])
          expect(text).not.toContain(word);
        expect(text).toContain("oslo");
      }
      const preview = JSON.parse(await node.do(["telemetry", "preview", "oslo", "--json"])) as {
        encoded: string;
      };
      const bytes = Buffer.from(preview.encoded, "base64").toString("latin1");
      expect(bytes).toContain("oslo");
      expect(bytes).not.toMatch(/horizon|2\.3\.0|instance|patched|plant/);
    }
    const status = await library.do(["status", "--json"]);
    expect(status).not.toContain("plant");
  }, 400_000);
});
