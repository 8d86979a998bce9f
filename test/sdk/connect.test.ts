import { stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { isIn } from "../../relay/flag/bucket.ts";
import { connectOn } from "../../sdk/connect.ts";
import { webRuntime } from "../../sdk/web-runtime.ts";
import { eventually } from "./eventually.ts";
import { cacheFile, openClient, startNode } from "./open-client.ts";

/** Nobody listens there: the port is one that only privileged servers use. */
const nowhere = "http://127.0.0.1:9";

vi.setConfig({ testTimeout: 60_000 });

describe("flags", () => {
  test("are the node's, for the app's project and version", async () => {
    const node = await startNode({ table: { on: 10_000, off: 0 }, at: "one" });
    const flags = await openClient({ url: node.url, instance: "i-1" });
    expect(flags.enabled("on")).toBe(true);
    expect(flags.enabled("off", { default: true })).toBe(false);
    expect(flags.details("on")).toEqual({
      name: "on",
      enabled: true,
      reason: "FULL",
      freshness: "FRESH",
    });
    expect(flags.details("other", { default: true })).toMatchObject({
      enabled: true,
      reason: "UNKNOWN_FLAG",
    });
    expect(flags.ready).toBe(true);
    expect(flags.problems).toEqual([]);
    expect(node.watches).toMatchObject([{ project: "horizon", version: "2.3.0" }]);
  });

  test("are on for the instances that the bucketing rule says", async () => {
    const node = await startNode({ table: { half: 5_000 }, at: "one" });
    const instances = Array.from({ length: 8 }, (_, at) => `i-${at}`);
    const answers = await Promise.all(
      instances.map(async (instance) =>
        (await openClient({ url: node.url, instance })).enabled("half"),
      ),
    );
    expect(answers).toEqual(
      instances.map((instance) => isIn({ flag: "half", instance, basisPoints: 5_000 })),
    );
    expect(new Set(answers).size).toBe(2);
  });

  test("follow deltas and removals, and say so", async () => {
    const node = await startNode({ table: { a: 0, b: 10_000, c: 10_000 }, at: "one" });
    const flags = await openClient({ url: node.url });
    const heard: unknown[] = [];
    flags.on("change", (flag) => heard.push(flag));
    expect([flags.enabled("a"), flags.enabled("b"), flags.enabled("c")]).toEqual([
      false,
      true,
      true,
    ]);
    node.send({ delta: { a: 10_000 }, removed: ["b"], from: "one", at: "two" });
    await eventually(() => expect(flags.enabled("a")).toBe(true));
    expect(flags.details("b")).toMatchObject({ enabled: false, reason: "UNKNOWN_FLAG" });
    expect(flags.enabled("c")).toBe(true);
    expect(heard).toEqual([
      { name: "b", enabled: false, reason: "UNKNOWN_FLAG" },
      { name: "a", enabled: true, reason: "FULL" },
    ]);
  });

  test("that come are vouched for by the time that anybody is told of them", async () => {
    const node = await startNode();
    const flags = await openClient({ url: node.url, waitMs: 0 });
    await eventually(() => expect(node.streamsCount).toBe(1));
    const heard: unknown[] = [];
    const note = (event: string) => () =>
      heard.push([event, flags.ready, flags.problems.length, flags.details("on")]);
    flags.on("change", note("change")).on("update", note("update")).on("freshness", note("fresh"));
    node.send({ table: { on: 10_000 }, at: "one" });
    const on = { name: "on", enabled: true, reason: "FULL", freshness: "FRESH" };
    await eventually(() => expect(heard).toHaveLength(3));
    expect(heard).toEqual(["fresh", "update", "change"].map((event) => [event, true, 0, on]));
  });

  test("of a listener that is gone, or throws, disturb nobody", async () => {
    const node = await startNode({ table: { a: 0 }, at: "one" });
    const flags = await openClient({ url: node.url });
    const gone = vi.fn<() => void>();
    flags.on("change", gone).off("change", gone);
    flags.on("change", () => {
      throw new Error("thrown");
    });
    flags.on("change", () => Promise.reject(new Error("rejected")));
    node.send({ delta: { a: 10_000 }, from: "one", at: "two" });
    await eventually(() => expect(flags.enabled("a")).toBe(true));
    expect(gone).not.toHaveBeenCalled();
    await eventually(() => expect(flags.problems).toEqual(["listener: rejected"]));
    node.send({ delta: { b: 10_000 }, from: "two", at: "three" });
    await eventually(() => expect(flags.enabled("b")).toBe(true));
  });

  test("are told of once to a listener that leaves and comes back meanwhile", async () => {
    const node = await startNode({ table: { a: 0 }, at: "one" });
    const flags = await openClient({ url: node.url });
    const heard: string[] = [];
    const again = ({ name }: { name: string }): void => {
      heard.push(name);
      if (heard.length < 100) flags.off("change", again).on("change", again);
    };
    flags.on("change", again);
    node.send({ delta: { a: 10_000 }, from: "one", at: "two" });
    node.send({ delta: { b: 10_000 }, from: "two", at: "three" });
    await eventually(() => expect(flags.enabled("b")).toBe(true));
    expect(heard).toEqual(["a", "b"]);
  });

  test("work over the fetch of browsers as well", async () => {
    const node = await startNode({ table: { on: 10_000 }, at: "one" });
    const flags = await connectOn(webRuntime, { project: "horizon", url: node.url });
    onTestFinished(() => flags.close());
    expect(flags.enabled("on")).toBe(true);
    node.send({ delta: { on: 0 }, from: "one", at: "two" });
    await eventually(() => expect(flags.enabled("on")).toBe(false));
    await eventually(() => expect(node.reports).toHaveLength(1));
  });
});

describe("a stream that ends", () => {
  test("is resumed at the position held", async () => {
    const node = await startNode({ table: { a: 0 }, at: "one" });
    const flags = await openClient({ url: node.url });
    node.send({ delta: { a: 10_000 }, from: "one", at: "two" });
    await eventually(() => expect(flags.enabled("a")).toBe(true));
    const { url } = node;
    await node.stop();
    await eventually(() => expect(flags.problems.join()).toContain(`flags: ${url}`));
    expect(flags.enabled("a")).toBe(true);

    const restarted = await startNode({ table: { a: 10_000 }, at: "two" }, url);
    await eventually(() => expect(restarted.watches).toHaveLength(1));
    expect(new TextDecoder().decode(restarted.watches[0]?.position)).toBe("two");
    restarted.send({ delta: { a: 0 }, from: "two", at: "three" });
    await eventually(() => expect(flags.enabled("a")).toBe(false));
    expect(flags.problems).toEqual([]);
  });

  test.each([
    ["a delta that does not fit", { delta: { b: 10_000 }, from: "elsewhere", at: "three" }],
    ["a heartbeat from elsewhere", { heartbeat: "elsewhere" }],
  ])("after %s is begun anew", async (_, frame) => {
    const node = await startNode({ table: { a: 10_000 }, at: "one" });
    const flags = await openClient({ url: node.url });
    node.first = { table: { b: 10_000 }, at: "three" };
    node.send(frame);
    await eventually(() => expect(flags.enabled("b")).toBe(true));
    expect(flags.enabled("a")).toBe(false);
    expect(node.watches.map(({ position }) => position.length)).toEqual([0, 0]);
  });

  test("is opened to the next node that is there", async () => {
    const second = await startNode({ table: { on: 10_000 }, at: "one" });
    const flags = await openClient({ url: `${nowhere}, ${second.url}` });
    expect(flags.enabled("on")).toBe(true);

    const first = await startNode({ table: { on: 0 }, at: "other" });
    const both = await openClient({ url: [first.url, second.url] });
    expect(both.enabled("on")).toBe(false);
    await first.stop();
    await eventually(() => expect(both.enabled("on")).toBe(true));
  });
});

describe("without a node", () => {
  test("the defaults answer", async () => {
    const flags = await openClient({ url: nowhere, waitMs: 0 });
    expect(flags.enabled("a")).toBe(false);
    expect(flags.enabled("a", { default: true })).toBe(true);
    expect(flags.details("a", { default: true }).reason).toBe("EMPTY");
    expect([flags.ready, flags.freshness]).toEqual([false, "EMPTY"]);
    await eventually(() => expect(flags.problems.join()).toContain("ECONNREFUSED"));
  });

  test("what a proxy before it lets in with is in no problem, which may be logged", async () => {
    const flags = await openClient({ url: "http://web:secret@127.0.0.1:9/flags", waitMs: 0 });
    await eventually(() => expect(flags.problems).toHaveLength(2));
    expect(flags.problems.join()).toContain("http://127.0.0.1:9/flags: ");
    expect(flags.problems.join()).not.toContain("secret");
  });

  test("nor where a runtime does not fetch from such an address, and says which it is", async () => {
    const url = "http://web:secret@127.0.0.1:9/flags";
    const flags = await connectOn(webRuntime, { project: "horizon", url, waitMs: 0 });
    onTestFinished(() => flags.close());
    await eventually(() => expect(flags.problems).toHaveLength(2));
    expect(flags.problems.join()).toContain("includes credentials");
    expect(flags.problems.join()).not.toContain("secret");
  });

  test("connecting ends when the wait is over, even if somebody holds the line", async () => {
    const silent = await startNode();
    const flags = await openClient({ url: silent.url, waitMs: 50 });
    expect(flags.ready).toBe(false);
    await eventually(() => expect(silent.streamsCount).toBe(1));
    silent.send({ table: { late: 10_000 }, at: "one" });
    await eventually(() => expect(flags.enabled("late")).toBe(true));
    expect(flags.ready).toBe(true);
  });

  test("the cache file answers, and is kept when a node says that it is empty", async () => {
    const path = await cacheFile();
    const node = await startNode({ table: { on: 10_000 }, at: "one" });
    const first = await openClient({ url: node.url, cacheFile: path });
    expect(first.enabled("on")).toBe(true);
    await first.close();
    const { url } = node;
    await node.stop();

    const second = await openClient({ url, cacheFile: path, waitMs: 0 });
    expect(second.details("on")).toMatchObject({ enabled: true, freshness: "STALE" });
    expect([second.ready, second.instance]).toEqual([false, first.instance]);

    const restarted = await startNode({ table: {}, at: "", freshness: "EMPTY" }, url);
    await eventually(() => expect(second.problems).toEqual([expect.stringContaining("nothing")]));
    expect(restarted.watches).toHaveLength(1);
    expect(second.details("on")).toMatchObject({ enabled: true, freshness: "STALE" });
    expect(second.ready).toBe(false);
    restarted.send({ table: {}, at: "two" });
    await eventually(() => expect(second.freshness).toBe("FRESH"));
    expect(second.enabled("on")).toBe(false);
  });

  test("an upgrade is told from the version that the cache file has, and so is a way back", async () => {
    const path = await cacheFile();
    const node = await startNode({ table: {}, at: "one" });
    const at = async (version: string): Promise<void> => {
      const client = await openClient({ url: node.url, cacheFile: path, version });
      if (version === "2.4.0") client.health("FAILED");
      await client.close();
    };
    for (const version of ["2.3.0", "2.4.0", "2.4.0", "2.3.0"]) await at(version);
    const told = node.reports.map(({ version, upgrade }) => [
      version,
      upgrade && `${upgrade.from} ${upgrade.outcome}`,
    ]);
    expect(told.find(([version]) => version === "2.3.0")).toEqual(["2.3.0", undefined]);
    expect(told).toContainEqual(["2.4.0", "2.3.0 FAILED"]);
    expect(told).toContainEqual(["2.4.0", undefined]);
    expect(told.at(-1)).toEqual(["2.3.0", "2.4.0 OK"]);
  });

  test("the flags of another version are none of this one's", async () => {
    const path = await cacheFile();
    const node = await startNode({ table: { on: 10_000 }, at: "one" });
    const first = await openClient({ url: node.url, cacheFile: path });
    await first.close();
    const second = await openClient({ url: nowhere, cacheFile: path, waitMs: 0, version: "2.4.0" });
    expect(second.details("on")).toMatchObject({ enabled: false, reason: "EMPTY" });
    expect(second.instance).toBe(first.instance);
  });

  test("the instance is the same at every start, if nobody names another", async () => {
    const path = await cacheFile();
    const first = await openClient({ url: nowhere, waitMs: 0, cacheFile: path });
    await first.close();
    const second = await openClient({ url: nowhere, waitMs: 0, cacheFile: path });
    expect(second.instance).toBe(first.instance);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const named = await openClient(
      { url: nowhere, waitMs: 0, cacheFile: path },
      { HEADWATER_INSTANCE: "i-1" },
    );
    expect(named.instance).toBe("i-1");
    const uncached = await openClient({ url: nowhere, waitMs: 0 });
    expect(uncached.instance).not.toBe(first.instance);
  });

  test("a cache file that can not be used is a problem, not an end", async () => {
    const flags = await openClient({ url: nowhere, waitMs: 0, cacheFile: tmpdir() });
    expect(flags.enabled("a")).toBe(false);
    await eventually(() => expect(flags.problems.join()).toContain("cache: "));
  });
});

test("settings that can not work are refused, all at once", async () => {
  const refused = openClient({ project: "not a name", url: "127.0.0.1:7700", waitMs: -1 });
  await expect(refused).rejects.toThrow(TypeError);
  await expect(refused).rejects.toThrow(
    /project "not a name".*node "127.0.0.1:7700".*http:\/\/127.0.0.1:7700.*waitMs -1/,
  );
});

test("closing leaves no stream open", async () => {
  const node = await startNode({ table: { on: 10_000 }, at: "one" });
  const flags = await openClient({ url: node.url });
  expect(node.streamsCount).toBe(1);
  await flags.close();
  await eventually(() => expect(node.streamsCount).toBe(0));
  expect(flags.enabled("on")).toBe(true);
});
