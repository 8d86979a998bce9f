import { describe, expect, test, vi } from "vitest";
import type { Client } from "../../sdk/client.ts";
import { eventually } from "./eventually.ts";
import { openClient, startNode } from "./open-client.ts";
import type { Frame, SmallNode } from "./small-node.ts";

vi.setConfig({ testTimeout: 60_000 });

const on: Frame = { table: { on: 10_000 }, at: "one", progress: 7n };
const killed: Frame = { table: { on: 0 }, at: "two", progress: 8n };

/** Whether each time that the flag was told of it was on. */
function answersOf(flags: Client): boolean[] {
  const answers: boolean[] = [];
  flags.on("update", () => answers.push(flags.enabled("on")));
  return answers;
}

function openTo(...nodes: SmallNode[]): Promise<Client> {
  return openClient({ url: nodes.map(({ url }) => url) });
}

describe.each(["STALE", "EXPIRED"])("an app whose node is %s", (freshness) => {
  test("hears of a kill from the next that is fresh, and stays there", async () => {
    const first = await startNode(on);
    const other = await startNode(killed);
    const flags = await openTo(first, other);
    expect(flags.enabled("on")).toBe(true);
    first.send({ heartbeat: "one", freshness });
    await eventually(() => expect(flags.enabled("on")).toBe(false));
    expect(flags.freshness).toBe("FRESH");
    await eventually(() => expect([first.streamsCount, other.streamsCount]).toEqual([0, 1]));
    expect([first.watches.length, other.watches.length]).toEqual([1, 1]);
  });
});

test("an app whose node is stale from the beginning has its flags meanwhile", async () => {
  const first = await startNode({ ...on, freshness: "STALE" });
  const other = await startNode(killed);
  const flags = await openTo(first, other);
  expect([flags.ready, flags.enabled("on"), flags.freshness]).toEqual([true, true, "STALE"]);
  await eventually(() => expect(flags.enabled("on")).toBe(false));
});

test("an app whose node is behind hears why its flags are stale", async () => {
  const node = await startNode(killed);
  const flags = await openTo(node);
  node.send({ heartbeat: "two", freshness: "STALE", progress: 7n });
  await eventually(() => expect(flags.problems).toEqual([expect.stringContaining("less far")]));
  expect(flags.freshness).toBe("STALE");
  node.send({ heartbeat: "two", progress: 8n });
  await eventually(() => expect([flags.freshness, flags.problems]).toEqual(["FRESH", []]));
  expect(node.watches).toHaveLength(1);
});

test("an app whose node is stale takes no kill back from one that has come less far", async () => {
  const first = await startNode({ ...killed, freshness: "STALE" });
  const behind = await startNode(on);
  const last = await startNode({ ...killed, freshness: "FRESH" });
  const flags = await openTo(first, behind, last);
  const answers = answersOf(flags);
  await eventually(() => expect(flags.freshness).toBe("FRESH"));
  expect(answers).not.toContain(true);
  expect(behind.watches.length).toBe(1);
  const streamsCounts = () => [first, behind, last].map(({ streamsCount }) => streamsCount);
  await eventually(() => expect(streamsCounts()).toEqual([0, 0, 1]));
});
