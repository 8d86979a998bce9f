import { describe, expect, test, vi } from "vitest";
import { eventually } from "./eventually.ts";
import { openClient, startNode } from "./open-client.ts";

vi.setConfig({ testTimeout: 60_000 });

describe("reports", () => {
  test("say what the app is, at once and when its health changes", async () => {
    const node = await startNode({ table: { on: 10_000 }, at: "one" });
    const flags = await openClient({ url: node.url, instance: "i-1" });
    await eventually(() => expect(node.reports).toHaveLength(1));
    expect(node.reports[0]).toMatchObject({
      project: "horizon",
      version: "2.3.0",
      instance: "i-1",
      health: "OK",
      flags: [],
    });
    flags.enabled("on");
    flags.enabled("unknown");
    flags.used("keystone-v2-api");
    flags.health("DEGRADED");
    await eventually(() => expect(node.reports).toHaveLength(2));
    expect(node.reports[1]).toMatchObject({
      health: "DEGRADED",
      flags: [
        { name: "on", active: true },
        { name: "unknown", active: false },
      ],
      features: ["keystone-v2-api"],
      crashes: [],
    });
  });

  test("say that something has crashed, and never its text", async () => {
    const node = await startNode({ table: {}, at: "one" });
    const flags = await openClient({ url: node.url });
    await eventually(() => expect(node.reports).toHaveLength(1));
    function schedule(): never {
      throw new Error("password of alice");
    }
    try {
      schedule();
    } catch (error) {
      flags.crash(error);
    }
    await eventually(() => expect(node.reports).toHaveLength(2));
    expect(node.reports[1]?.crashes).toEqual([expect.stringMatching(/^[0-9a-f]{16}$/)]);
    expect(JSON.stringify(node.reports, bigintless)).not.toContain("alice");
  });

  test("are made anew to a node that has forgotten them", async () => {
    const node = await startNode({ table: {}, at: "one" });
    const flags = await openClient({ url: node.url });
    await eventually(() => expect(node.reports).toHaveLength(1));
    const { url } = node;
    await node.stop();
    const restarted = await startNode({ table: {}, at: "one" }, url);
    await eventually(() => expect(restarted.reports).toHaveLength(1));
    expect(restarted.reports[0]?.instance).toBe(flags.instance);
  });

  test("say at the end what has not been said, and that it is the last", async () => {
    const node = await startNode({ table: { on: 10_000 }, at: "one" });
    const flags = await openClient({ url: node.url });
    await eventually(() => expect(node.reports).toHaveLength(1));
    flags.enabled("on");
    await flags.close();
    expect(node.reports[1]?.flags).toMatchObject([{ name: "on", active: true }]);
    await flags.close();

    const idle = await openClient({ url: node.url });
    await eventually(() => expect(node.reports).toHaveLength(3));
    await idle.close();
    expect(node.reports.map(({ last }) => last)).toEqual([false, true, false, true]);
  });

  test.each([
    ["the option", { telemetry: "off" }, {}],
    ["HEADWATER_TELEMETRY", {}, { HEADWATER_TELEMETRY: "off" }],
    ["DO_NOT_TRACK", { telemetry: "on" }, { DO_NOT_TRACK: "1" }],
  ] as const)("are never sent where %s says so", async (_, options, environment) => {
    const node = await startNode({ table: { on: 10_000 }, at: "one" });
    const flags = await openClient({ url: node.url, ...options }, environment);
    expect(flags.enabled("on")).toBe(true);
    flags.health("FAILED");
    flags.crash(new Error("x"));
    await flags.close();
    // An app that does report is heard; so would this one have been.
    const other = await openClient({ url: node.url, instance: "other" });
    await other.close();
    expect(node.reports.map(({ instance }) => instance)).toEqual(["other", "other"]);
  });

  test("of what makes no sense are not made", async () => {
    const node = await startNode({ table: {}, at: "one" });
    const flags = await openClient({ url: node.url });
    flags.used("not a name");
    flags.health("fine" as never);
    flags.enabled("not a name");
    expect(flags.problems).toEqual([expect.stringContaining("DEGRADED")]);
    await flags.close();
    expect(node.reports.every(({ features, health }) => !features.length && health === "OK")).toBe(
      true,
    );
    expect(node.reports.flatMap((report) => report.flags)).toEqual([]);
  });
});

function bigintless(_: string, value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : value;
}
