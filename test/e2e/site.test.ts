import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "../../scripts/demo/eventually.ts";
import { freePorts } from "../../scripts/demo/free-ports.ts";
import { joinProcess, NodeProcess } from "../../scripts/demo/node-process.ts";
import { findNatsServer } from "../../scripts/nats-server.mjs";
import { connect } from "../../sdk/index.ts";
import { NatsServer } from "../nodes/fanout/nats-server.ts";

const flag = { project: "horizon", flag: "new-scheduler" };

const natsPath = findNatsServer();

describe.skipIf(natsPath === undefined && !process.env["CI"])(
  "a site of three nodes, of which one has an upstream and the others only NATS",
  () => {
    const directory = mkdtempSync(join(tmpdir(), "headwater-nats-"));
    let nats: NatsServer;
    let root: NodeProcess;
    let nodes: NodeProcess[] = [];

    beforeAll(async () => {
      const [port = 0] = await freePorts(1);
      nats = new NatsServer({ path: natsPath ?? "nats-server", port, directory });
      await nats.start();
      root = await NodeProcess.start("upstream", { HEADWATER_CENSUS_WINDOW: "12s" });
      const of = {
        HEADWATER_SITE: "plant",
        HEADWATER_NATS_URL: nats.url(),
        HEADWATER_SITE_SECRET_FILE: join(root.directory, "site.secret"),
        HEADWATER_CENSUS_WINDOW: "12s",
        HEADWATER_WINDOW: "2s",
        HEADWATER_HEALTH_WINDOW: "8s",
        HEADWATER_DISCLOSURE: "rounded",
      };
      const { HEADWATER_SITE_SECRET_FILE: secret, ...alone } = of;
      const first = await NodeProcess.start("plant-1", alone);
      copyFileSync(join(first.directory, "data/site.secret"), secret);
      const others = ["plant-2", "plant-3"].map((name) => NodeProcess.start(name, of));
      nodes = [first, ...(await Promise.all(others))];
      await root.do(["init", "horizon"]);
      await root.do(["apply", "--yes", "-f", "-"], file("100"));
      await joinProcess(root, first);
    }, 120_000);

    afterAll(async () => {
      for (const node of [...nodes, root]) await node?.[Symbol.asyncDispose]();
      await nats?.stop();
      rmSync(directory, { recursive: true, force: true });
    });

    const file = (percent: string): string =>
      `project: horizon\nreleases: ["2.3.0"]\nfeatures: [old-api]\nflags: { new-scheduler: { percent: ${percent} } }\n`;
    const reasonAt = async (node: NodeProcess): Promise<string> =>
      (await node.evaluate(flag)).reason;
    const answers = (node: NodeProcess, reason: string) =>
      eventually(
        `${node.env["HEADWATER_NAME"]} answers ${reason}`,
        async () => (await reasonAt(node)) === reason,
        60_000,
      );
    const app = (node: NodeProcess, instance: string) =>
      connect({ project: "horizon", version: "2.3.0", instance, url: `http://${node.apps}` });

    const countIs = (node: NodeProcess, count: number) =>
      eventually(
        `${node.env["HEADWATER_NAME"]} knows ${count} instances`,
        async () => instancesOf(await node.do(["status", "--json"])) === count,
        60_000,
      );

    test("follows, and each node hears the others' reports", async () => {
      const [first, second] = nodes as [NodeProcess, NodeProcess];
      await answers(second, "FULL");
      await root.do(["flag", "kill", "horizon/new-scheduler"]);
      await answers(second, "KILLED");
      const one = await app(second, "i-1");
      await countIs(first, 1);
      expect(await second.do(["status", "--json"])).toContain('"instancesCount": 1');
      await one.close();
    }, 120_000);

    test("answers a census right, and judges, though the node that heard it is killed", async () => {
      const [first, second, third] = nodes as [NodeProcess, NodeProcess, NodeProcess];
      await root.do(["flag", "revive", "horizon/new-scheduler"]);
      await root.do(["apply", "--yes", "-f", "-"], file("50"));
      await answers(third, "ROLLOUT");
      await third.do(["census", "enroll", "horizon"]);
      const opened = "census open horizon --feature old-api --window 12s --in 3s".split(" ");
      await root.do(opened);
      await eventually("it is open", async () =>
        /old-api.* open /.test(await third.do(["census", "show", "horizon"])),
      );
      const apps = await Promise.all(Array.from({ length: 60 }, (_, n) => app(third, `i-${n}`)));
      for (const one of apps) one.health(one.enabled("new-scheduler") ? "FAILED" : "OK");
      apps[0]!.used("old-api");
      for (const node of [first, second]) await countIs(node, apps.length);
      await Promise.all(apps.map((one) => one.close()));
      // What it has said and nobody has heard yet would go with it.
      for (const node of [first, second]) await countIs(node, 0);
      await third.kill();

      const shown = async (): Promise<string[]> => {
        const asked = await root.do(["census", "show", "horizon", "--json"]);
        const { censuses } = JSON.parse(asked) as { censuses: { results: { answer: string }[] }[] };
        return censuses[0]?.results.map(({ answer }) => answer) ?? [];
      };
      await eventually("somebody used it", async () => (await shown()).includes("USED"), 90_000);
      await eventually(
        "who is gone makes unknown",
        async () => (await shown())[0] === "UNKNOWN",
        90_000,
      );
      for (const node of nodes.slice(0, 2))
        await eventually(
          "it has judged what the node that is gone has heard",
          () => node.stderr.includes("flag new-scheduler against off is BAD"),
          90_000,
        );
      await third.restart();
      expect(await second.do(["census", "show", "horizon"])).toContain("old-api");
    }, 240_000);

    test("goes on without NATS where there is a link, never goes back, and catches up", async () => {
      const [first, second] = nodes as [NodeProcess, NodeProcess];
      await root.do(["flag", "kill", "horizon/new-scheduler"]);
      await answers(second, "KILLED");
      await nats.stop();
      await root.do(["flag", "revive", "horizon/new-scheduler"]);
      await answers(first, "ROLLOUT");
      expect(await reasonAt(second)).toBe("KILLED");
      await second.kill();
      await second.restart();
      expect(await reasonAt(second)).toBe("KILLED");
      await nats.start();
      await answers(second, "ROLLOUT");
    }, 120_000);
  },
);

function instancesOf(status: string): number {
  return Number(/"instancesCount": (\d+)/.exec(status)?.[1] ?? 0);
}
