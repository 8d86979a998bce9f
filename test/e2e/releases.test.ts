import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { create, toBinary } from "@bufbuild/protobuf";
import { expect, onTestFinished, test } from "vitest";
import { FlagSchema } from "../../gen/headwater/v1/flag_pb.ts";
import { openAdminClient } from "../../nodes/cli/admin-client.ts";
import { eventually } from "../../scripts/demo/eventually.ts";
import { joinProcess, NodeProcess } from "../../scripts/demo/node-process.ts";
import { connect } from "../../sdk/index.ts";

const project = "horizon";
const versions = ["2.3.0", "2.3.5", "2.4.0-rc.1", "2.3.5-4.el9", "2.3.5-5.el9"];

const file = `
project: horizon
flags:
  wide-path: { rollout: [{ versions: ">=2.4.0-0", percent: 100 }, { versions: "<2.3.5", percent: 0 }, { versions: "*", percent: 100 }] }
  fast-path: { percent: 100, versions: ">=2.3.5" }
  old-path: { percent: 100, kill: "<2.3.5" }
  plain: { percent: 100 }
releases: ["2.3.0", "2.3.5", "2.4.0-rc.1"]
aliases: { 2.3.5-4.el9: "2.3.5" }
`;

// The last build is one that nobody has published: outside every range, inside every ranged kill.
const expected: Readonly<Record<string, readonly string[]>> = {
  "wide-path": ["OFF", "FULL", "FULL", "FULL", "FULL"],
  "fast-path": ["OUT_OF_RANGE", "FULL", "FULL", "FULL", "OUT_OF_RANGE"],
  "old-path": ["KILLED", "FULL", "FULL", "FULL", "KILLED"],
  plain: ["FULL", "FULL", "FULL", "FULL", "FULL"],
};

test("ranges, rollouts, aliases and readers are the same for Evaluate, Watch and the SDK, a hop down", async () => {
  await using root = await NodeProcess.start("upstream");
  await using site = await NodeProcess.start("plant");
  await root.do(["init", project]);
  const path = join(root.directory, "flags.yaml");
  writeFileSync(path, file);
  await root.do(["apply", "--yes", "-f", path]);
  await joinProcess(root, site);
  const url = `http://${site.apps}`;
  const asked = (flag: string, version: string) => site.evaluate({ project, flag, version });
  await eventually("the site has it", async () => (await asked("plain", "2.3.0")).enabled);
  const clients = await Promise.all(
    versions.map((version) =>
      connect({ url, project, version, instance: "i-1", telemetry: "off" }),
    ),
  );
  onTestFinished(async () => {
    for (const client of clients) await client.close();
  });
  for (const [flag, reasons] of Object.entries(expected))
    for (const [at, version] of versions.entries()) {
      const reason = reasons[at];
      const answer = { enabled: reason === "FULL", reason };
      const where = `${flag} ${version}`;
      expect([where, await asked(flag, version)]).toEqual([
        where,
        { ...answer, freshness: "FRESH" },
      ]);
      expect([where, clients[at]!.details(flag)]).toMatchObject([where, answer]);
    }

  // What a newer writer says, that this reader does not understand, is off, and nothing else is.
  const flag = create(FlagSchema, { name: "plain", basisPoints: 10_000, hash: 2, reader: 2 });
  const { ledgers } = openAdminClient(root.operatorEnv);
  const { ledger } = await ledgers.getLedger({ project });
  const entries = [{ key: "flag/plain", value: toBinary(FlagSchema, flag) }];
  await ledgers.commit({ ...(ledger && { ledger }), entries });
  await eventually("every client holds it off", () =>
    clients.every((client) => client.details("plain").reason === "NOT_UNDERSTOOD"),
  );
  for (const version of versions)
    expect(await asked("plain", version)).toMatchObject({
      enabled: false,
      reason: "NOT_UNDERSTOOD",
    });
  expect(clients[1]!.details("fast-path")).toMatchObject({ enabled: true });
  const status = await site.do(["status"]);
  expect(status).toMatch(/1 not understood/);
  expect(status).toMatch(/horizon: 1 entries are not understood: flags are off/);
  // It may have been killed, for all that this version can read.
  expect((await root.run(["apply", "--yes", "-f", path])).stderr).toContain(
    "lift the kill of plain",
  );
  await root.do(["apply", "--yes", "--revive", "-f", path]);
  await eventually("it is understood again", () => clients.every((one) => one.enabled("plain")));
}, 300_000);
