import { ConnectError } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { describe, expect, test } from "vitest";
import { HeadwaterError } from "../../../nodes/error.ts";
import { FlagTable } from "../../../relay/layers/flag-table.ts";
import { FakeAccess, type FakeProject, flagAt } from "../fake-access.ts";
import { openTestApps } from "./open-apps.ts";
import { flagsAfter, framesOf, startWatching, until } from "./watching.ts";

const project = "horizon";

function nodeWith(of: Partial<FakeProject> = {}): { access: FakeAccess; horizon: FakeProject } {
  const access = new FakeAccess();
  const tables = new Map([
    ["", new FlagTable("", [flagAt("new-scheduler", 500)])],
    ["2.3.0", new FlagTable("2.3.0", [flagAt("new-scheduler", 500), flagAt("fast-path", 2_500)])],
  ]);
  return { access, horizon: access.project(project, { releases: ["2.3.0"], tables, ...of }) };
}

function http1(url: string): ReturnType<typeof createConnectTransport> {
  return createConnectTransport({ baseUrl: url, httpVersion: "1.1" });
}

describe.each([
  ["Connect over HTTP/1.1", http1],
  ["Connect over HTTP/2", (url) => createConnectTransport({ baseUrl: url, httpVersion: "2" })],
  ["gRPC", (url) => createGrpcTransport({ baseUrl: url })],
  ["gRPC-Web", (url) => createGrpcWebTransport({ baseUrl: url, httpVersion: "1.1" })],
] satisfies [string, (url: string) => ReturnType<typeof createConnectTransport>][])(
  "%s",
  (_, transportTo) => {
    test("streams the complete table, then what changes", async () => {
      const { access } = nodeWith();
      const { url } = await openTestApps(access);
      const watching = startWatching(transportTo(url), { project, version: "2.3.0" });
      const [first] = await framesOf(watching, 1);
      expect(first).toMatchObject({ case: "table", value: { freshness: "FRESH" } });
      access.set(project, "2.3.0", flagAt("fast-path", 5_000));
      await framesOf(watching, 2);
      const without = new Map([["new-scheduler", undefined]]);
      access.change(project, "2.3.0", without);
      const [table, changed, removed] = await framesOf(watching, 3);
      expect(changed).toMatchObject({
        case: "delta",
        value: { flags: [{ name: "fast-path", basisPoints: 5_000, hash: 2, reason: "ROLLOUT" }] },
      });
      expect(removed).toMatchObject({ case: "delta", value: { removed: ["new-scheduler"] } });
      // Each begins where the one before has ended.
      const chain = [table, changed, removed].map((frame) => frame?.value as Link);
      expect(chain[1]?.previous).toEqual(chain[0]?.position);
      expect(chain[2]?.previous).toEqual(chain[1]?.position);
      expect(flagsAfter(watching.frames)).toEqual(new Map([["fast-path", 5_000]]));
    });
  },
);

interface Link {
  readonly previous?: Uint8Array;
  readonly position: Uint8Array;
}

describe("the first frame", () => {
  test("is a heartbeat alone for an app that has this table already", async () => {
    const { access, horizon } = nodeWith();
    const { url } = await openTestApps(access);
    const position = horizon.tables.get("2.3.0")?.position ?? new Uint8Array();
    const watching = startWatching(http1(url), { project, version: "2.3.0", position });
    const [first] = await framesOf(watching, 1);
    expect(first).toMatchObject({ case: "heartbeat", value: { position, freshness: "FRESH" } });
    access.set(project, "2.3.0", flagAt("fast-path", 0));
    const [, second] = await framesOf(watching, 2);
    expect(second).toMatchObject({ case: "delta", value: { previous: position } });
  });

  test("is what has changed since for an app that has a former one", async () => {
    const { access, horizon } = nodeWith();
    const { url } = await openTestApps(access);
    const position = horizon.tables.get("2.3.0")?.position ?? new Uint8Array();
    access.set(project, "2.3.0", flagAt("fast-path", 0));
    const watching = startWatching(http1(url), { project, version: "2.3.0", position });
    const [first] = await framesOf(watching, 1);
    expect(first).toMatchObject({
      case: "delta",
      value: { previous: position, flags: [{ name: "fast-path" }] },
    });
  });

  test("is the table for an app that has another", async () => {
    const { access } = nodeWith();
    const { url } = await openTestApps(access);
    const position = new Uint8Array(32).fill(7);
    const watching = startWatching(http1(url), { project, version: "2.3.0", position });
    expect((await framesOf(watching, 1))[0]?.case).toBe("table");
  });

  test("is the table of unknown builds for a version that was not published", async () => {
    const { access } = nodeWith();
    const { url } = await openTestApps(access);
    const watching = startWatching(http1(url), { project, version: "9.9.9" });
    await framesOf(watching, 1);
    expect(flagsAfter(watching.frames)).toEqual(new Map([["new-scheduler", 500]]));
  });

  test("of an empty project is a heartbeat, never a table; the table follows", async () => {
    const { access, horizon } = nodeWith({ freshness: "EMPTY", releases: [] });
    const { url } = await openTestApps(access);
    const [fresh, holding] = [new Uint8Array(), new Uint8Array(32).fill(7)].map((position) =>
      startWatching(http1(url), { project, version: "2.3.0", position }),
    );
    for (const watching of [fresh, holding]) {
      const [first] = await framesOf(watching!, 1);
      expect(first).toMatchObject({ case: "heartbeat", value: { freshness: "EMPTY" } });
    }
    horizon.freshness = "FRESH";
    horizon.releases.push("2.3.0");
    access.expose(project, [], true);
    for (const watching of [fresh, holding]) {
      const [, second] = await framesOf(watching!, 2);
      expect(second).toMatchObject({ case: "table", value: { freshness: "FRESH" } });
      expect(flagsAfter([second!]).size).toBe(2);
    }
  });

  test("of a project that is not held here is a heartbeat too", async () => {
    const { url } = await openTestApps();
    const watching = startWatching(http1(url), { project: "unheard-of" });
    const [first] = await framesOf(watching, 1);
    expect(first).toMatchObject({ case: "heartbeat", value: { freshness: "EMPTY" } });
  });
});

describe("a heartbeat", () => {
  test("comes when nothing else does", async () => {
    const { access, horizon } = nodeWith();
    const { url } = await openTestApps(access, { heartbeatMs: 10 });
    const watching = startWatching(http1(url), { project, version: "2.3.0" });
    const frames = await framesOf(watching, 4);
    const position = horizon.tables.get("2.3.0")?.position;
    expect(frames.map((frame) => frame.case).slice(1, 4)).toEqual(Array(3).fill("heartbeat"));
    expect(frames[3]).toMatchObject({ value: { position, freshness: "FRESH" } });
  });

  test("comes at once when the freshness changes, and only then", async () => {
    const { access, horizon } = nodeWith();
    const { url } = await openTestApps(access);
    const watching = startWatching(http1(url), { project, version: "2.3.0" });
    await framesOf(watching, 1);
    access.expose(project);
    horizon.freshness = "STALE";
    access.expose(project);
    const frames = await framesOf(watching, 2);
    expect(frames[1]).toMatchObject({ case: "heartbeat", value: { freshness: "STALE" } });
    access.set(project, "2.3.0", flagAt("fast-path", 1));
    expect((await framesOf(watching, 3))[2]).toMatchObject({
      case: "delta",
      value: { freshness: "STALE" },
    });
  });
});

describe("a change", () => {
  test("that the app cannot build on comes as the complete table", async () => {
    const { access, horizon } = nodeWith();
    const { url } = await openTestApps(access);
    const watching = startWatching(http1(url), { project, version: "2.3.0" });
    await framesOf(watching, 1);
    // A table that was dropped and made again has no change to tell.
    horizon.tables.set("2.3.0", new FlagTable("2.3.0", [flagAt("wide-path", 100)]));
    access.expose(project);
    expect((await framesOf(watching, 2))[1]?.case).toBe("table");
    expect(flagsAfter(watching.frames)).toEqual(new Map([["wide-path", 100]]));
  });

  test("of the vocabulary brings an app to the table of the release that it is now", async () => {
    const { access, horizon } = nodeWith();
    const { url } = await openTestApps(access);
    horizon.tables.set("2.4.0", new FlagTable("2.4.0", [flagAt("wide-path", 100)]));
    const moved = startWatching(http1(url), { project, version: "2.4.0" });
    const stays = startWatching(http1(url), { project, version: "2.3.0" });
    for (const watching of [moved, stays]) await framesOf(watching, 1);
    expect(flagsAfter(moved.frames)).toEqual(new Map([["new-scheduler", 500]]));
    horizon.releases.push("2.4.0");
    access.expose(project, [], true);
    await framesOf(moved, 2);
    expect(flagsAfter(moved.frames)).toEqual(new Map([["wide-path", 100]]));
    access.set(project, "2.4.0", flagAt("wide-path", 200));
    access.set(project, "2.3.0", flagAt("fast-path", 300));
    expect((await framesOf(moved, 3))[2]).toMatchObject({ case: "delta" });
    expect((await framesOf(stays, 2))[1]).toMatchObject({ case: "delta" });
    expect(moved.frames).toHaveLength(3);
  });
});

describe("a watcher", () => {
  test("is told of once when it comes and once when it goes", async () => {
    const { access } = nodeWith();
    const { url, counts } = await openTestApps(access);
    const watching = startWatching(http1(url), { project, version: "2.3.0" });
    await framesOf(watching, 1);
    expect(counts.watchersCount).toBe(1);
    watching.abort.abort();
    await until(() => counts.watchersCount === 0);
    expect(access.told).toEqual([
      { kind: "watch-opened", project, version: "2.3.0" },
      { kind: "watch-closed", project, version: "2.3.0" },
    ]);
    access.set(project, "2.3.0", flagAt("fast-path", 1));
    expect(watching.frames).toHaveLength(1);
  });

  test("hears that the node stops, and is told of once", async () => {
    const { access } = nodeWith();
    const apps = await openTestApps(access);
    const watchings = [http1(apps.url), createGrpcTransport({ baseUrl: apps.url })].map(
      (transport) => startWatching(transport, { project, version: "2.3.0" }),
    );
    for (const watching of watchings) await framesOf(watching, 1);
    await apps.close();
    for (const { ended } of watchings) {
      const error = await ended;
      expect(error).toBeInstanceOf(ConnectError);
      expect(HeadwaterError.from(error)).toMatchObject({
        kind: "unavailable",
        message: "the node is stopping",
      });
    }
    expect(access.toldKinds.sort()).toEqual([
      "watch-closed",
      "watch-closed",
      "watch-opened",
      "watch-opened",
    ]);
  });
});
