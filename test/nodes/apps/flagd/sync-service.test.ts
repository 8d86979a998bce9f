import { Code, createClient } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { FlagSyncService, type SyncFlagsResponse } from "../../../../gen/flagd/sync/v1/sync_pb.ts";
import { flagSetMessagesMax } from "../../../../relay/limits.ts";
import { FakeAccess, flagAt } from "../../fake-access.ts";
import { type OpenedApps, openTestApps } from "../open-apps.ts";
import { until } from "../watching.ts";
import { codeOf, grpc, nodeWith, type Reading, reading } from "./flagd-node.ts";

interface Opened {
  readonly access: FakeAccess;
  readonly apps: OpenedApps;
  readonly client: ReturnType<typeof createClient<typeof FlagSyncService>>;
}

async function opened(access: FakeAccess = nodeWith({ path: 0 })): Promise<Opened> {
  const apps = await openTestApps(access);
  return { access, apps, client: createClient(FlagSyncService, grpc(apps.url)) };
}

function syncing(
  { client }: Opened,
  of: { selector?: string; header?: string } = {},
): Reading<SyncFlagsResponse> {
  const { selector = "", header } = of;
  const headers = header === undefined ? {} : { "Flagd-Selector": header };
  return reading((signal) => client.syncFlags({ selector }, { signal, headers }));
}

/** Default variants by flag: what each message says, without rules. */
function variantsOf({ flagConfiguration }: { flagConfiguration: string }): object {
  const { flags } = JSON.parse(flagConfiguration) as {
    flags: Record<string, { defaultVariant: string }>;
  };
  return Object.fromEntries(Object.entries(flags).map(([name, of]) => [name, of.defaultVariant]));
}

describe("SyncFlags", () => {
  test("sends the whole set at once, and again after each change", async () => {
    const node = await opened();
    const { messages } = syncing(node);
    await until(() => messages.length === 1);
    node.access.set("horizon", "", flagAt("path", 10_000));
    await until(() => messages.length === 2);
    node.access.set("horizon", "", flagAt("other", 10_000));
    await until(() => messages.length === 3);
    expect(messages.map(variantsOf)).toEqual([
      { path: "off" },
      { path: "on" },
      { path: "on", other: "on" },
    ]);
    const { metadata } = JSON.parse(messages[2]?.flagConfiguration ?? "") as { metadata: object };
    expect(metadata).toMatchObject({ project: "horizon", sequence: 3, freshness: "FRESH" });
  });

  test("is of one encoding for all who ask for the same", async () => {
    const node = await opened();
    const readers = Array.from({ length: 20 }, () => syncing(node));
    await until(() => readers.every(({ messages }) => messages.length === 1));
    const before = node.access.readsCount.flagSet;
    node.access.set("horizon", "", flagAt("path", 10_000));
    await until(() => readers.every(({ messages }) => messages.length === 2));
    expect(node.access.readsCount.flagSet - before).toBe(1);
    expect(node.apps.counts.watchersCount).toBe(20);
    for (const { abort } of readers) abort.abort();
    await until(() => node.apps.counts.watchersCount === 0);
  });

  test("says nothing when nothing has changed, and something when freshness has", async () => {
    const node = await opened();
    const { messages } = syncing(node);
    await until(() => messages.length === 1);
    node.access.expose("horizon");
    node.access.projects.get("horizon")!.freshness = "STALE";
    node.access.expose("horizon");
    await until(() => messages.length === 2);
    expect(messages[1]?.flagConfiguration).toContain('"freshness":"STALE"');
  });

  test("never sends an empty set for want of one: it waits, or stays at the last", async () => {
    const node = await opened(nodeWith({ path: 10_000 }, { freshness: "EMPTY" }));
    const { messages } = syncing(node);
    await until(() => node.apps.counts.watchersCount === 1);
    expect(await codeOf(node.client.fetchAllFlags({}))).toBe("Unavailable");
    const horizon = node.access.projects.get("horizon")!;
    horizon.freshness = "FRESH";
    node.access.expose("horizon");
    await until(() => messages.length === 1);
    horizon.freshness = "EMPTY";
    node.access.expose("horizon");
    horizon.freshness = "STALE";
    node.access.expose("horizon");
    await until(() => messages.length === 2);
    expect(messages.map(variantsOf)).toEqual([{ path: "on" }, { path: "on" }]);
  });

  test("of a version has no lists of releases", async () => {
    const releases = { "2.3.0": { path: 10_000 } };
    const node = await opened(nodeWith({ path: 0 }, { releases }));
    const all = syncing(node, { header: "horizon" });
    const one = syncing(node, { header: "flagSetId=horizon,version=2.3.0" });
    await until(() => all.messages.length === 1 && one.messages.length === 1);
    expect(all.messages[0]?.flagConfiguration).toContain('{"in":[{"var":"version"},["2.3.0"]]}');
    expect(one.messages[0]?.flagConfiguration).not.toContain("targeting");
    expect(one.messages.map(variantsOf)).toEqual([{ path: "on" }]);
    node.access.set("horizon", "2.3.0", flagAt("path", 0));
    await until(() => one.messages.length === 2);
    expect(variantsOf(one.messages[1]!)).toEqual({ path: "off" });
  });

  test("of more versions than are kept encoded is served all the same", async () => {
    const releases = { "2.3.0": { path: 10_000 } };
    const node = await opened(nodeWith({ path: 0 }, { releases }));
    const versions = Array.from({ length: flagSetMessagesMax }, (_, index) => `0.0.${index}`);
    const all = [...versions, "2.3.0"].map((version) =>
      syncing(node, { header: `version=${version}` }),
    );
    await until(() => all.every(({ messages }) => messages.length === 1));
    expect(variantsOf(all.at(-1)?.messages[0] ?? { flagConfiguration: "" })).toEqual({
      path: "on",
    });
    expect(variantsOf(all[0]?.messages[0] ?? { flagConfiguration: "" })).toEqual({ path: "off" });
  });

  test("of an instance has its answers, with nothing left to bucket", async () => {
    const node = await opened(nodeWith({ path: 5_000 }));
    const [inside, outside] = ["i-2", "i-1"].map((instance) =>
      syncing(node, { header: `horizon,instance=${instance}` }),
    );
    await until(() => inside?.messages.length === 1 && outside?.messages.length === 1);
    node.access.set("horizon", "", flagAt("path", 0));
    await until(() => inside?.messages.length === 2 && outside?.messages.length === 2);
    expect(inside?.messages.map(variantsOf)).toEqual([{ path: "on" }, { path: "off" }]);
    expect(outside?.messages.map(variantsOf)).toEqual([{ path: "off" }, { path: "off" }]);
    expect(inside?.messages[0]?.flagConfiguration).not.toContain("fractional");
  });

  test.each([
    [{ selector: "acme" }, "acme"],
    [{ selector: "acme", header: "flagSetId=horizon" }, "horizon"],
  ])("takes the header before the deprecated field: %j", async (asked, project) => {
    const node = await opened(nodeWith({}, { project: "acme" }, nodeWith({})));
    const { messages } = syncing(node, asked);
    await until(() => messages.length === 1);
    expect(messages[0]?.flagConfiguration).toContain(`"project":"${project}"`);
  });

  test.each([
    [{}, Code.InvalidArgument],
    [{ selector: "key=value" }, Code.InvalidArgument],
    [{ header: "flagSetId=nowhere" }, Code.NotFound],
  ])("refuses the selector %j", async (asked, code) => {
    const node = await opened(nodeWith({}, { project: "acme" }, nodeWith({})));
    expect(await syncing(node, asked).ended).toMatchObject({ code });
    expect(node.apps.counts.watchersCount).toBe(0);
  });

  test("ends with an error when the node stops, since clients come again after nothing else", async () => {
    const node = await opened();
    const { messages, ended } = syncing(node);
    await until(() => messages.length === 1);
    await node.apps.close();
    expect(await ended).toMatchObject({ code: Code.Unavailable });
  });
});

describe("other calls", () => {
  test("FetchAllFlags is the same, once", async () => {
    const releases = { "2.3.0": { path: 10_000 } };
    const { client } = await opened(nodeWith({ path: 0 }, { releases }));
    expect(variantsOf(await client.fetchAllFlags({}))).toEqual({ path: "off" });
    const headers = { "Flagd-Selector": "version=2.3.0" };
    expect(variantsOf(await client.fetchAllFlags({}, { headers }))).toEqual({ path: "on" });
  });

  test("GetMetadata is what older clients read", async () => {
    const { client } = await opened();
    const { metadata } = await client.getMetadata({});
    expect(metadata).toMatchObject({ project: "horizon", freshness: "FRESH" });
  });

  test("a node without a project says so", async () => {
    const { client } = await opened(new FakeAccess());
    expect(await codeOf(client.fetchAllFlags({}))).toBe("Unavailable");
  });
});
