import { Code, createClient } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { Service as V1 } from "../../../../gen/flagd/evaluation/v1/evaluation_pb.ts";
import {
  type EventStreamResponse,
  Service as V2,
} from "../../../../gen/flagd/evaluation/v2/evaluation_pb.ts";
import { FlagSetGroup } from "../../../../nodes/apps/flagd/flag-set-group.ts";
import { flagChangesKeptMax } from "../../../../relay/limits.ts";
import { type FakeAccess, flagAt } from "../../fake-access.ts";
import { openTestApps } from "../open-apps.ts";
import { until } from "../watching.ts";
import { grpc, nodeWith, type Reading, reading } from "./flagd-node.ts";

async function listening(
  access: FakeAccess,
  of: { service?: typeof V1 | typeof V2; selector?: string; heartbeatMs?: number } = {},
): Promise<Reading<EventStreamResponse> & { apps: Awaited<ReturnType<typeof openTestApps>> }> {
  const { service = V2, selector, heartbeatMs } = of;
  const apps = await openTestApps(access, heartbeatMs === undefined ? {} : { heartbeatMs });
  const client = createClient(service as typeof V2, grpc(apps.url));
  const headers = selector === undefined ? {} : { "Flagd-Selector": selector };
  return { ...reading((signal) => client.eventStream({}, { signal, headers })), apps };
}

describe.each([
  ["v1", V1],
  ["v2", V2],
] as const)("EventStream of %s", (_, service) => {
  test("begins with provider_ready, then names what has changed and how", async () => {
    const access = nodeWith({ path: 0, other: 0 });
    const { messages } = await listening(access, { service });
    await until(() => messages.length === 1);
    expect(messages[0]).toMatchObject({ type: "provider_ready" });
    access.set("horizon", "", flagAt("path", 500));
    await until(() => messages.length === 2);
    access.change(
      "horizon",
      "",
      new Map([
        ["path", undefined],
        ["new", flagAt("new", 0)],
      ]),
    );
    await until(() => messages.length === 3);
    expect(messages.slice(1)).toMatchObject([
      { type: "configuration_change", data: { flags: { path: { type: "update" } } } },
      {
        type: "configuration_change",
        data: { flags: { path: { type: "delete" }, new: { type: "write" } } },
      },
    ]);
  });
});

describe("an event stream", () => {
  test("is kept alive", async () => {
    const { messages } = await listening(nodeWith({}), { heartbeatMs: 20 });
    await until(() => messages.length > 3);
    expect(messages.slice(1, 4).map(({ type }) => type)).toEqual(Array(3).fill("keep_alive"));
  });

  test("says that the node stops, and ends with an error so that the client comes again", async () => {
    const { apps, messages, ended } = await listening(nodeWith({}));
    await until(() => messages.length === 1);
    await apps.close();
    expect(await ended).toMatchObject({ code: Code.Unavailable });
    expect(messages.at(-1)).toMatchObject({ type: "provider_shutdown" });
  });

  test("is not ready before there is something to answer from", async () => {
    const access = nodeWith({ path: 0 }, { freshness: "EMPTY" });
    const { messages } = await listening(access, { heartbeatMs: 20 });
    await until(() => messages.length > 1);
    expect(new Set(messages.map(({ type }) => type))).toEqual(new Set(["keep_alive"]));
    access.projects.get("horizon")!.freshness = "FRESH";
    access.expose("horizon");
    await until(() => messages.some(({ type }) => type === "provider_ready"));
  });

  test("without a selector is of all projects, since published clients leave it out here", async () => {
    const access = nodeWith({ one: 0 }, { project: "acme" }, nodeWith({ two: 0 }));
    const all = await listening(access);
    const acme = await listening(access, { selector: "flagSetId=acme" });
    await until(() => all.messages.length === 1 && acme.messages.length === 1);
    access.set("horizon", "", flagAt("two", 1));
    access.set("acme", "", flagAt("one", 1));
    await until(() => acme.messages.length === 2);
    await until(() => JSON.stringify(all.messages.map(({ data }) => data)).includes("one"));
    const heard = JSON.stringify(all.messages.map(({ data }) => data));
    expect(heard).toContain("two");
    expect(acme.messages[1]?.data).toEqual({ flags: { one: { type: "update" } } });
  });

  test("without a selector hears of a project that is joined after it was opened", async () => {
    const access = nodeWith({ one: 0 });
    const all = await listening(access);
    await until(() => all.messages.length === 1);
    nodeWith({ two: 10_000 }, { project: "acme" }, access);
    access.expose("acme");
    await until(() => all.messages.length === 2);
    access.set("acme", "", flagAt("two", 0));
    await until(() => all.messages.length === 3);
    expect(all.messages.slice(1).map(({ data }) => data)).toEqual([
      { flags: { two: { type: "write" } } },
      { flags: { two: { type: "update" } } },
    ]);
  });

  test("refuses a selector that makes no sense", async () => {
    const { ended } = await listening(nodeWith({}), { selector: "size=12" });
    expect(await ended).toMatchObject({ code: Code.InvalidArgument });
  });
});

describe("a group", () => {
  const ofGroup = (access: FakeAccess): FlagSetGroup =>
    new FlagSetGroup({ access, project: "horizon" });

  test("sums up what a slow reader has missed", () => {
    const access = nodeWith({ stays: 0, goes: 0, flips: 0 });
    const group = ofGroup(access);
    const since = group.revision;
    for (const flags of [
      { goes: undefined, comes: 100, flips: undefined },
      { flips: 500 },
      { comes: 200 },
    ]) {
      const changes = Object.entries(flags).map(
        ([name, share]) => [name, share === undefined ? undefined : flagAt(name, share)] as const,
      );
      access.change("horizon", "", new Map(changes));
      group.update();
    }
    expect(Object.fromEntries(group.changesSince(since)!)).toEqual({
      goes: "delete",
      comes: "write",
      flips: "update",
    });
  });

  test("remembers so much and no more", () => {
    const access = nodeWith({ path: 0 });
    const group = ofGroup(access);
    const since = group.revision;
    for (let change = 1; change <= flagChangesKeptMax; change++) {
      access.set("horizon", "", flagAt("path", change));
      group.update();
    }
    expect(group.changesSince(since)).toEqual(new Map([["path", "update"]]));
    access.set("horizon", "", flagAt("path", 0));
    group.update();
    expect(group.changesSince(since)).toBeUndefined();
    expect(group.changesSince(group.revision)).toEqual(new Map());
  });
});
