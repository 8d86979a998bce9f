import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { expect, type TestContext, test } from "vitest";
import { eventually } from "../../scripts/demo/eventually.ts";
import { NodeProcess } from "../../scripts/demo/node-process.ts";
import { startedServer } from "../nodes/fanout/nats-server.ts";

test("tokens end at all nodes of a site: revoked, rotated and expired, while links are up", async (context: TestContext) => {
  const nats = await startedServer(context);
  const of = { HEADWATER_SITE: "openstack", HEADWATER_NATS_URL: nats.url() };
  await using first = await NodeProcess.start("first", of);
  const secret = join(first.directory, "site.secret");
  copyFileSync(join(first.directory, "data/site.secret"), secret);
  const shared = { ...of, HEADWATER_SITE_SECRET_FILE: secret };
  await using second = await NodeProcess.start("second", shared);
  await using child = await NodeProcess.start("acme");
  await first.do(["init", "horizon"]);
  await first.do(["flag", "set", "horizon/new-scheduler", "100%"]);
  const answers = (node: NodeProcess): Promise<unknown> =>
    eventually(`${node.name} has the flag`, async () => {
      const asked = { project: "horizon", flag: "new-scheduler" };
      return (await node.evaluate(asked)).reason === "FULL";
    });
  await answers(second);

  const joined = async (...options: string[]): Promise<void> => {
    const token = await second.do(["child", "add", "acme", ...options]);
    await child.do(["join", token.trim()]);
  };
  const upstreamSays = (text: RegExp): Promise<unknown> =>
    eventually(
      `the child's status says ${text}`,
      async () => text.test(await child.do(["status"])),
      60_000,
    );
  await joined();
  await answers(child);
  await upstreamSays(/CONNECTED/);

  // Both nodes know the token; a second one takes its place, and the link does not end with it.
  await eventually("the first knows it", async () =>
    /acme .*never/.test(await first.do(["child", "list"])),
  );
  expect((await first.run(["child", "revoke", "acme", "--older"])).code).toBe(1);
  await joined();
  await upstreamSays(/CONNECTED/);
  await eventually("the first has heard of the second token", async () => {
    const { code } = await first.run(["child", "revoke", "acme", "--older"]);
    return code === 0;
  });
  await upstreamSays(/CONNECTED/);

  // Revoked at one, it ends at the other, also after a restart without the first.
  expect(await first.do(["child", "revoke", "acme"])).toContain("revoked 1 token of acme");
  await upstreamSays(/revoked this site's token/);
  await first.kill();
  await second.kill();
  await second.restart();
  await upstreamSays(/WAITING[^]*revoked this site's token/);

  await joined("--expires", "30s");
  await upstreamSays(/CONNECTED/);
  await upstreamSays(/or it has expired/);
  expect((await child.evaluate({ project: "horizon", flag: "new-scheduler" })).enabled).toBe(true);
}, 400_000);
