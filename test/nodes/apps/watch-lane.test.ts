import { create, toBinary, toJsonString } from "@bufbuild/protobuf";
import { createConnectTransport } from "@connectrpc/connect-node";
import { describe, expect, test } from "vitest";
import { WatchRequestSchema } from "../../../gen/headwater/v1/apps_pb.ts";
import { FlagTable } from "../../../relay/layers/flag-table.ts";
import { FakeAccess, flagAt } from "../fake-access.ts";
import { openRaw, type RawConnection } from "../http/raw-connection.ts";
import { type OpenedApps, openTestApps } from "./open-apps.ts";
import { framesOf, startWatching, until, type Watching } from "./watching.ts";

const project = "horizon";
const request = create(WatchRequestSchema, { project });
const binary = Buffer.from(toBinary(WatchRequestSchema, request));
const json = Buffer.from(toJsonString(WatchRequestSchema, request));

function enveloped(message: Buffer, flags = 0, length = message.length): Buffer {
  const head = Buffer.from([flags, 0, 0, 0, 0]);
  head.writeUInt32BE(length, 1);
  return Buffer.concat([head, message]);
}

async function openHorizon(): Promise<{ apps: OpenedApps; access: FakeAccess }> {
  const access = new FakeAccess();
  access.project(project, { tables: new Map([["", new FlagTable("", [flagAt("alpha", 500)])]]) });
  return { apps: await openTestApps(access), access };
}

/** A call as the bytes of HTTP/1.1. */
async function post(
  { address }: OpenedApps,
  body: Buffer,
  of: { type?: string; headers?: readonly string[]; version?: string } = {},
): Promise<RawConnection> {
  const raw = await openRaw(address);
  const head = [
    `POST /headwater.v1.FlagService/Watch HTTP/${of.version ?? "1.1"}`,
    "host: node",
    `content-type: ${of.type ?? "application/connect+proto"}`,
    `content-length: ${body.length}`,
    ...(of.headers ?? []),
  ];
  raw.socket.write(Buffer.concat([Buffer.from(`${head.join("\r\n")}\r\n\r\n`), body]));
  return raw;
}

/** What a stream needs no HTTP for, and a request that is read by all of it. */
const plain: readonly string[] = [];
const unusual = ["origin: https://example.org"];

describe("a watch over HTTP/1.1", () => {
  test.each([
    ["alone on its connection", plain, "connection: close"],
    ["beside others", unusual, "Connection: keep-alive"],
  ])("is a stream of chunks, %s, each an envelope, in JSON too", async (_, headers, connection) => {
    const { apps, access } = await openHorizon();
    const raw = await post(apps, enveloped(json), { type: "application/connect+json", headers });
    await until(() => raw.heard().includes('"basisPoints":500'));
    expect(raw.heard()).toMatch(/^HTTP\/1\.1 200 OK\r\ncontent-type: application\/connect\+json/);
    expect(raw.heard()).toContain(`\r\n${connection}\r\n`);
    expect(apps.counts.callsCounts).toEqual(new Map([["/headwater.v1.FlagService/Watch", 1]]));
    access.set(project, "", flagAt("alpha", 700));
    await until(() => raw.heard().includes('"basisPoints":700'));
    const [, length = "", text = ""] =
      /\r\n([0-9a-f]+)\r\n\0{3}(?:[^]{2})(\{"delta"[^]*)\r\n$/.exec(raw.heard()) ?? [];
    expect(text.length).toBe(Number.parseInt(length, 16) - 5);
    expect(JSON.parse(text)).toMatchObject({ delta: { flags: [{ name: "alpha" }] } });
  });

  test.each([
    ["alone on its connection", plain],
    ["beside others", unusual],
  ])("%s ends with a word when the node stops", async (_, headers) => {
    const { apps } = await openHorizon();
    const raw = await post(apps, enveloped(binary), { headers });
    await until(() => apps.counts.watchersCount === 1);
    await Promise.all([apps.close(), raw.closed]);
    expect(raw.heard()).toMatch(/"code":"unavailable"[^]*\r\n0\r\n\r\n$/);
    await until(() => apps.counts.watchersCount === 0);
  });

  test.each<[string, (raw: RawConnection) => unknown]>([
    ["is closed", ({ socket }) => socket.end()],
    ["is lost", ({ socket }) => socket.resetAndDestroy()],
    ["says more than it has to", ({ socket }) => socket.write("\r\n")],
  ])("is over when its connection %s", async (_, act) => {
    const { apps, access } = await openHorizon();
    const raw = await post(apps, enveloped(binary));
    await until(() => apps.counts.watchersCount === 1);
    act(raw);
    await raw.closed;
    await until(() => apps.counts.watchersCount === 0);
    expect(access.toldKinds).toEqual(["watch-opened", "watch-closed"]);
  });

  test("serves a second call on the connection whose stream has ended", async () => {
    const { apps } = await openHorizon();
    const raw = await post(apps, enveloped(Buffer.from([0xff])));
    await until(() => raw.heard().endsWith("0\r\n\r\n"));
    raw.socket.write(
      "POST /headwater.v1.FlagService/Evaluate HTTP/1.1\r\nhost: node\r\n" +
        "content-type: application/json\r\ncontent-length: 2\r\n\r\n{}",
    );
    await until(() => raw.heard().includes("project: missing"));
    expect(raw.heard()).toContain("HTTP/1.1 400");
  });

  test.each<[string, Buffer, string]>([
    ["nothing", Buffer.alloc(0), "body: no enveloped message"],
    ["compressed", enveloped(binary, 1), "body: the message is compressed"],
    ["too short", enveloped(binary, 0, 5_000), "body: a message of 5000 bytes"],
    ["two messages", Buffer.concat([enveloped(binary), enveloped(binary)]), "body: a message of"],
    ["no message", enveloped(Buffer.from([0xff, 0xff])), "body: no WatchRequest"],
    ["of no good name", enveloped(Buffer.from([10, 3, 97, 47, 98])), "project: "],
    ["too long", Buffer.alloc(2_000_000), "the body is longer than"],
  ])("that is %s ends with an error that says so", async (_, body, message) => {
    const { apps } = await openHorizon();
    const raw = await post(apps, body);
    await until(() => raw.heard().endsWith("0\r\n\r\n"));
    expect(raw.heard()).toContain(`"message":"${message}`);
    expect([apps.counts.watchersCount, apps.log.lines.length]).toEqual([0, 0]);
  });

  test.each([
    ["with a deadline", { headers: ["connect-timeout-ms: 50"] }, "\u0002\0\0\0\u0002{}"],
    ["in a format of nobody", { type: "application/connect+xml" }, "HTTP/1.1 415"],
    ["in a format that is none", { type: "constructor" }, "HTTP/1.1 415"],
    ["over HTTP/1.0", { version: "1.0" }, "Connection: close\r\n\r\n\0\0\0\0"],
  ])("%s is Connect's to answer", async (_, of, expected) => {
    const { apps } = await openHorizon();
    const raw = await post(apps, enveloped(binary), of);
    await until(() => raw.heard().includes(expected));
    expect(raw.heard()).toMatch(/^HTTP\/1\.1 /);
  });

  test("of many apps that all change at once reaches every one", async () => {
    const { apps, access } = await openHorizon();
    const transport = createConnectTransport({ baseUrl: apps.url, httpVersion: "1.1" });
    const watching = Array.from({ length: 600 }, () => startWatching(transport, { project }));
    for (const one of watching) await framesOf(one, 1);
    access.set(project, "", flagAt("alpha", 900));
    // Heartbeats go between on a machine that is slow.
    const isTold = ({ frames }: Watching): boolean => frames.some((one) => one.case === "delta");
    for (const one of watching) await until(() => isTold(one));
    expect(watching.every(isTold)).toBe(true);
    for (const { abort } of watching) abort.abort();
    await until(() => apps.counts.watchersCount === 0);
  });
});
