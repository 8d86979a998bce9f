import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { isIn } from "../../relay/flag/bucket.ts";
import { eventually } from "../../scripts/demo/eventually.ts";
import { NodeProcess } from "../../scripts/demo/node-process.ts";
import { closeAll, connectAll, connectRpc, type PublishedClient } from "./published-clients.ts";

/** For clients that come again by themselves, on a machine that may be busy. */
const deadlineMs = 30_000;

const flag = "new-scheduler";
const instances = Array.from({ length: 40 }, (_, index) => `i-${index}`);
const pageInstance = instances.find((one) => isAt(one, 5_000) && !isAt(one, 1_000)) ?? "";

function isAt(instance: string, basisPoints: number): boolean {
  return isIn({ flag, instance, basisPoints });
}

describe("every published client for JavaScript", () => {
  let node: NodeProcess;
  let clients: PublishedClient[];

  beforeAll(async () => {
    node = await NodeProcess.start("upstream");
    await node.do(["init", "horizon"]);
    await node.do(["flag", "set", `horizon/${flag}`, "10%"]);
    clients = await connectAll(node.apps, pageInstance);
  });

  afterAll(async () => {
    await closeAll();
    await node[Symbol.asyncDispose]();
  });

  async function expectShare(basisPoints: number): Promise<void> {
    for (const client of clients)
      await eventually(
        `${client.name} is at ${basisPoints}`,
        () => agrees(client, basisPoints),
        deadlineMs,
      );
  }

  test("sees a ramp: the same instances as everybody else, and no others", async () => {
    await expectShare(1_000);
    await node.do(["flag", "set", `horizon/${flag}`, "50%"]);
    await expectShare(5_000);
  });

  test("sees a kill", async () => {
    await node.do(["flag", "kill", `horizon/${flag}`]);
    await expectShare(0);
  });

  test("comes again after the node was killed, and hears of what follows", async () => {
    await node.kill();
    await node.restart();
    await node.do(["flag", "revive", `horizon/${flag}`]);
    await node.do(["flag", "set", `horizon/${flag}`, "100%"]);
    await expectShare(10_000);
  });

  test("comes again after the node was stopped", async () => {
    await node.kill("SIGTERM");
    await node.restart();
    await node.do(["flag", "set", `horizon/${flag}`, "50%"]);
    await expectShare(5_000);
  });
});

test("a client that was there before its project is hears of a kill, though it keeps answers", async () => {
  await using node = await NodeProcess.start("upstream");
  onTestFinished(closeAll);
  await node.do(["init", "horizon"]);
  const acme = await connectRpc(node.apps, "flagSetId=acme");
  await node.do(["init", "acme"]);
  await node.do(["flag", "set", "acme/wide", "100%"]);
  await eventually("it is on", () => acme.isOn("wide", "i-1"), deadlineMs);
  await node.do(["flag", "kill", "acme/wide"]);
  await eventually("it is off", async () => !(await acme.isOn("wide", "i-1")), deadlineMs);
  expect(await acme.isOn("wide", "i-2")).toBe(false);
});

async function agrees(client: PublishedClient, basisPoints: number): Promise<boolean> {
  const asked = client.instance === undefined ? instances : [client.instance];
  const answers = await Promise.all(asked.map((instance) => client.isOn(flag, instance)));
  return answers.every((isOn, index) => isOn === isAt(asked[index] ?? "", basisPoints));
}
