import { once } from "node:events";
import { gzipSync } from "node:zlib";
import { create, toBinary, toJsonString } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { describe, expect, test, vi } from "vitest";
import { ReportRequestSchema, TelemetryService } from "../../../gen/headwater/v1/apps_pb.ts";
import { HeadwaterError } from "../../../nodes/error.ts";
import type { HttpRequest, HttpResponse } from "../../../nodes/http/http-handler.ts";
import { unaryLane } from "../../../nodes/http/unary-lane.ts";
import { appRequestBytesMax } from "../../../relay/limits.ts";
import { type OpenedApps, openTestApps } from "../apps/open-apps.ts";
import { FakeAccess } from "../fake-access.ts";
import { openHttp2 } from "./http2-call.ts";
import { dataFrame, postFrames, resetFrame } from "./http2-frames.ts";
import { openRaw } from "./raw-connection.ts";

/** A busy machine needs it. */
const within = { timeout: 20_000, interval: 5 };

const path = "/headwater.v1.TelemetryService/Report";
const report = create(ReportRequestSchema, { project: "horizon", instance: "i-1", health: "OK" });
const wrong = create(ReportRequestSchema, { project: "horizon", health: "OK" });
const binary = Buffer.from(toBinary(ReportRequestSchema, report));

function answering(): FakeAccess {
  const access = new FakeAccess();
  access.answers.set("report", () => ({ nextAfterMs: 1_234 }));
  return access;
}

function refusing(error: HeadwaterError): FakeAccess {
  const access = new FakeAccess();
  access.answers.set("report", () => {
    throw error;
  });
  return access;
}

/** What comes back: all that a client of Connect goes by. */
async function post(
  { url }: OpenedApps,
  of: { type: string; body: Buffer | string; headers?: Record<string, string> },
): Promise<{ status: number; type: string | null; hint: string | null; body: string }> {
  const headers = { "content-type": of.type, ...of.headers };
  const response = await fetch(`${url}${path}`, { method: "POST", headers, body: of.body });
  return {
    status: response.status,
    type: response.headers.get("content-type"),
    hint: response.headers.get("headwater-hint"),
    body: Buffer.from(await response.arrayBuffer()).toString("latin1"),
  };
}

/** Whoever sets a deadline is answered by Connect. */
const byConnect = { "connect-timeout-ms": "10000" };
const [proto, json] = ["application/proto", "application/json"];
const hint = "wait, é";

describe("a plain call is answered as Connect would answer it", () => {
  test.each<[string, string, Buffer | string, FakeAccess]>([
    ["a message", proto, binary, answering()],
    ["a message in JSON", json, toJsonString(ReportRequestSchema, report), answering()],
    [
      "a field that is not known",
      json,
      '{"project":"p","instance":"i","health":"OK","x":1}',
      answering(),
    ],
    ["a wrong field", proto, Buffer.from(toBinary(ReportRequestSchema, wrong)), answering()],
    ["bytes that are no message", proto, Buffer.from([255]), answering()],
    ["nothing", proto, "", answering()],
    ["text that is no JSON", json, "{", answering()],
    [
      "a refusal",
      proto,
      binary,
      refusing(new HeadwaterError({ kind: "limit", message: "no", hint })),
    ],
    [
      "a fault of ours",
      proto,
      binary,
      refusing(new HeadwaterError({ kind: "internal", message: "x" })),
    ],
  ])("%s", async (_, type, body, access) => {
    const apps = await openTestApps(access);
    const answer = await post(apps, { type, body });
    const connects = await post(apps, { type, body, headers: byConnect });
    expect(answer).toEqual({ ...connects, body: namingTheBody(connects.body) });
  });

  test("too long a one too, without waiting for the rest of it", async () => {
    const apps = await openTestApps(answering());
    const raw = await openRaw(apps.address);
    const head = [
      `POST ${path} HTTP/1.1`,
      "host: node",
      `content-type: ${proto}`,
      `content-length: ${appRequestBytesMax * 2}`,
    ];
    raw.socket.write(`${head.join("\r\n")}\r\n\r\n`);
    raw.socket.write(Buffer.alloc(appRequestBytesMax + 1));
    await raw.closed;
    expect(raw.heard()).toMatch(/^HTTP\/1\.1 429 /);
    expect(raw.heard()).toMatch(
      /\{"code":"resource_exhausted","message":"the body is longer than \d+ bytes"\}$/,
    );
  });
});

test("whoever goes in the middle of a call is no event", async () => {
  const apps = await openTestApps(answering());
  const raw = await openRaw(apps.address);
  const head = [`POST ${path} HTTP/1.1`, "host: node", `content-type: ${proto}`];
  raw.socket.write(`${head.join("\r\n")}\r\ncontent-length: 100\r\n\r\nabc`);
  await vi.waitFor(() => expect(apps.counts.callsCounts.get(path)).toBe(1), within);
  raw.socket.destroy();
  await raw.closed;
  expect(await post(apps, { type: proto, body: binary })).toMatchObject({ status: 200 });
  expect(apps.log.lines).toEqual([]);
});

describe("over HTTP/2", () => {
  test.each([
    ["the lane", {}],
    ["Connect", byConnect],
  ])("what has come of a body that was cut short is no report to %s", async (_, headers) => {
    const apps = await openTestApps(answering());
    const raw = await openRaw(apps.address);
    raw.socket.write(postFrames(path, { "content-type": proto, ...headers }));
    raw.socket.write(dataFrame(binary));
    await vi.waitFor(() => expect(apps.counts.callsCounts.get(path)).toBe(1), within);
    raw.socket.write(resetFrame());
    const other = await post(apps, { type: proto, body: "" });
    raw.socket.destroy();
    expect(other).toMatchObject({ status: 400 });
    expect(apps.counts.reportsCount).toBe(0);
    expect(apps.log.lines).toEqual([]);
  });

  test("a connection that is lost in the middle of a call is no event", async () => {
    const apps = await openTestApps(answering());
    const session = await openHttp2(apps.url);
    const stream = session.request({ ":method": "POST", ":path": path, "content-type": proto });
    stream.on("error", () => undefined).write(binary);
    await vi.waitFor(() => expect(apps.counts.callsCounts.get(path)).toBe(1), within);
    session.destroy();
    await once(session, "close");
    expect(await post(apps, { type: proto, body: "" })).toMatchObject({ status: 400 });
    expect(apps.log.lines).toEqual([]);
  });
});

test("whoever reports and goes at once has an address all the same", async () => {
  const apps = await openTestApps(answering(), { reportRate: { burst: 1, perSecond: 0 } });
  const raw = await openRaw(apps.address);
  const head = [`POST ${path} HTTP/1.1`, "host: node", `content-type: ${proto}`];
  raw.socket.write(`${head.join("\r\n")}\r\ncontent-length: ${binary.length}\r\n\r\n`);
  await vi.waitFor(() => expect(apps.counts.callsCounts.get(path)).toBe(1), within);
  raw.socket.write(binary);
  raw.socket.resetAndDestroy();
  await vi.waitFor(() => expect(apps.counts.reportsCount).toBe(1), within);
  expect(await post(apps, { type: proto, body: binary })).toMatchObject({ status: 429 });
});

test.each([
  ["gRPC", createGrpcTransport, {}],
  ["Connect over HTTP/2", createConnectTransport, { httpVersion: "2" }],
  ["Connect over HTTP/1.1", createConnectTransport, { httpVersion: "1.1" }],
] as const)("a client of %s is answered", async (_, transport, options) => {
  const apps = await openTestApps(answering());
  const client = createClient(
    TelemetryService,
    transport({ baseUrl: apps.url, httpVersion: "2", ...options }),
  );
  expect(await client.report(report)).toMatchObject({ nextAfterMs: 1_234 });
});

describe("what asks for more is left to Connect", () => {
  test("compression", async () => {
    const apps = await openTestApps(answering());
    const headers = { "content-encoding": "gzip" };
    const answer = await post(apps, { type: proto, body: gzipSync(binary), headers });
    expect(answer).toMatchObject({ status: 200 });
  });

  test.each<[string, Partial<HttpRequest>]>([
    ["another method", { method: "GET" }],
    ["another path", { url: "/headwater.v1.TelemetryService/Reports" }],
    ["another format", { headers: { "content-type": "application/grpc" } }],
    ["no format", { headers: {} }],
    ["a name that objects have", { headers: { "content-type": "constructor" } }],
    ["a deadline", { headers: { "content-type": proto, ...byConnect } }],
    ["compression", { headers: { "content-type": proto, "content-encoding": "gzip" } }],
    ["another version", { headers: { "content-type": proto, "connect-protocol-version": "2" } }],
  ])("%s", (_, wanted) => {
    const { report: method } = TelemetryService.method;
    const answer = (): Promise<never> => Promise.reject(new Error("it was not to be asked"));
    const lane = unaryLane({ method, requestBytesMax: 100, answer });
    const plain = { method: "POST", url: path, headers: { "content-type": proto } };
    expect(lane({ ...plain, ...wanted } as HttpRequest, {} as HttpResponse)).toBeUndefined();
  });
});

/** Connect names it where the body is binary only. */
function namingTheBody(text: string): string {
  return text.replace('"message":"cannot decode', '"message":"body: cannot decode');
}
