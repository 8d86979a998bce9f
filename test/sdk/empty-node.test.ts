import { describe, expect, test, vi } from "vitest";
import { eventually } from "./eventually.ts";
import { openClient, startNode } from "./open-client.ts";

vi.setConfig({ testTimeout: 60_000 });

describe("a node that holds nothing of the project", () => {
  const nothing = { heartbeat: "", freshness: "EMPTY" };

  test("is passed over where there is another", async () => {
    const empty = await startNode(nothing);
    const other = await startNode({ table: { on: 10_000 }, at: "one" });
    const flags = await openClient({ url: [empty.url, other.url] });
    await eventually(() => expect(flags.freshness).toBe("FRESH"));
    expect(flags.enabled("on")).toBe(true);
    expect(flags.problems).toEqual([]);
    await eventually(() => expect(empty.streamsCount).toBe(0));
  });

  test("leaves an app what it has, and to a node that knows of a kill", async () => {
    const first = await startNode({ table: { on: 10_000 }, at: "one" });
    const { url } = first;
    const other = await startNode({ table: { on: 0 }, at: "two" });
    const flags = await openClient({ url: [url, other.url] });
    expect(flags.enabled("on")).toBe(true);
    await first.stop();
    await startNode(nothing, url);
    await eventually(() => expect(flags.enabled("on")).toBe(false));
    expect(flags.freshness).toBe("FRESH");
  });

  test("is a problem that is told while there is no other", async () => {
    const [one, two] = [await startNode(nothing), await startNode(nothing)];
    const flags = await openClient({ url: [one.url, two.url], waitMs: 0 });
    await eventually(() => expect(two.watches).toHaveLength(1));
    await eventually(() =>
      expect(flags.problems).toContainEqual(
        expect.stringMatching(/^flags: .*the node holds nothing of horizon yet$/),
      ),
    );
    two.first = { table: { on: 10_000 }, at: "one" };
    await eventually(() => expect(flags.enabled("on")).toBe(true));
  });
});
