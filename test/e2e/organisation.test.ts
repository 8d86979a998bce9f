import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { expect, type TestContext, test } from "vitest";
import { parseToken } from "../../relay/trust/join-token.ts";
import { eventually } from "../../scripts/demo/eventually.ts";
import { joinProcess, NodeProcess } from "../../scripts/demo/node-process.ts";
import { startedServer } from "../nodes/fanout/nats-server.ts";

const flag = "horizon/new-scheduler";
const patienceMs = 90_000;

test("an organisation of two nodes loses the one that writes", async (context: TestContext) => {
  const nats = await startedServer(context);
  const of = { HEADWATER_SITE: "upstream", HEADWATER_NATS_URL: nats.url() };
  await using first = await NodeProcess.start("upstream-1", of);
  const secret = join(first.directory, "site.secret");
  copyFileSync(join(first.dataDirectory, "site.secret"), secret);
  await using second = await NodeProcess.start("upstream-2", {
    ...of,
    HEADWATER_SITE_SECRET_FILE: secret,
  });
  await using site = await NodeProcess.start("plant");
  await first.do(["init", "horizon"]);
  await first.do(["flag", "set", flag, "100%"]);
  const reasonAt = async (node: NodeProcess): Promise<string> =>
    (await node.evaluate({ project: "horizon", flag: "new-scheduler" })).reason;
  await eventually(
    "the second node has it, over NATS",
    async () => (await reasonAt(second)) === "FULL",
    patienceMs,
  );

  const ramped = "horizon/ramped";
  await first.do(["flag", "set", ramped, "0%"]);
  await first.do(["rollout", "start", ramped, "--steps", "1%,2%", "--dwell", "1d"]);
  const rolloutAt = async (node: NodeProcess): Promise<string> =>
    (await node.run(["rollout", "status", ramped])).stdout;
  await eventually(
    "the second node has the rollout",
    async () => (await rolloutAt(second)).includes("running"),
    patienceMs,
  );

  await eventually(
    "it knows who writes",
    async () => {
      const { code, stderr } = await second.run(["flag", "set", flag, "5%"]);
      expect(code).toBe(3);
      return stderr.includes("Commit at node upstream-1 of this site: it has the key.");
    },
    patienceMs,
  );
  await eventually(
    "tokens name both",
    async () => {
      const token = parseToken(await first.do(["child", "add", "other"]));
      return [first, second].every(({ mesh }) => token.ok && token.value.addresses.includes(mesh));
    },
    patienceMs,
  );
  await joinProcess(first, site);
  await eventually("the site has it", async () => (await reasonAt(site)) === "FULL", patienceMs);

  const grant = join(first.directory, "config/headwater/horizon.term-2.grant");
  const early = await second.run(["promote", "horizon", "--grant", grant]);
  expect(early.code).toBe(3);
  expect(early.stderr).toContain("was heard of within the last minutes");
  await first.kill();
  await second.do(["promote", "horizon", "--grant", grant, "--force"]);
  expect(await rolloutAt(second)).toContain("running");
  expect(await second.do(["rollout", "pause", ramped])).toContain("paused");
  await second.do(["flag", "kill", flag]);
  await eventually(
    "the site hears of it from the other node",
    async () => (await reasonAt(site)) === "KILLED",
    patienceMs,
  );

  await first.restart();
  await eventually(
    "the former writer follows",
    async () => (await reasonAt(first)) === "KILLED",
    patienceMs,
  );
  const late = await first.run(["flag", "revive", flag]);
  expect(late.code).toBe(3);
  expect(late.stderr).toContain("is not written at this node");
}, 300_000);
