import { gzipSync } from "node:zlib";
import { Code, ConnectError, createClient, type ServiceImpl } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { afterEach, describe, expect, test, vi } from "vitest";
import { FlagService } from "../../../gen/headwater/v1/apps_pb.ts";
import { HeadwaterError } from "../../../nodes/error.ts";
import {
  type ConnectOptions,
  connectHandler,
  remoteAddressOf,
} from "../../../nodes/http/connect.ts";
import { type Listener, openListener } from "../../../nodes/http/listener.ts";
import { LogLines } from "./log-lines.ts";
import { openRaw } from "./raw-connection.ts";

const within = { timeout: 20_000, interval: 5 };
const path = "/headwater.v1.FlagService/Evaluate";
const json = { "content-type": "application/json" };

const listeners: Listener[] = [];

afterEach(async () => {
  await Promise.all(listeners.splice(0).map((listener) => listener.close()));
});

async function serve(
  service: Partial<ServiceImpl<typeof FlagService>>,
  options: Partial<ConnectOptions> = {},
): Promise<{ url: string; address: string; log: LogLines }> {
  const log = new LogLines();
  const { signal } = new AbortController();
  const handler = connectHandler({
    routes: [(router) => router.service(FlagService, service)],
    log,
    readBytesMax: 1_000,
    shutdown: signal,
    ...options,
  });
  const listener = await openListener({
    address: "127.0.0.1:0",
    handler,
    setting: "HEADWATER_APPS_ADDR",
    signal,
    deadlines: { closeMs: 100 },
  });
  listeners.push(listener);
  return { url: `http://${listener.address}`, address: listener.address, log };
}

function post(
  url: string,
  body: string | Uint8Array<ArrayBuffer>,
  headers = {},
): Promise<Response> {
  return fetch(`${url}${path}`, { method: "POST", headers: { ...json, ...headers }, body });
}

const refusal = new HeadwaterError({
  kind: "conflict",
  message: "it has changed meanwhile",
  hint: "look again – then try again",
});

test("a binary body that is no message is the caller's fault, as one in JSON is", async () => {
  const { url, log } = await serve({});
  for (const [type, body] of [
    ["application/proto", Uint8Array.of(10, 200)],
    ["application/json", "{"],
  ] as const) {
    const response = await post(url, body, { "content-type": type });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: "invalid_argument" });
  }
  expect(log.lines).toEqual([]);
});

describe("an error of ours", () => {
  test("has its code, its message and its hint in every protocol and in streams", async () => {
    const { url, log } = await serve({
      evaluate: () => {
        throw refusal;
      },
      watch: async function* () {
        yield { frame: { case: "heartbeat", value: {} } };
        throw refusal;
      },
    });
    for (const transport of [
      createConnectTransport({ baseUrl: url, httpVersion: "1.1" }),
      createConnectTransport({ baseUrl: url, httpVersion: "2" }),
      createGrpcTransport({ baseUrl: url }),
      createGrpcWebTransport({ baseUrl: url, httpVersion: "1.1" }),
    ]) {
      const client = createClient(FlagService, transport);
      const watchToEnd = async (): Promise<void> => {
        for await (const _ of client.watch({}));
      };
      for (const call of [() => client.evaluate({}), watchToEnd]) {
        const error = HeadwaterError.from(await call().catch((thrown: unknown) => thrown));
        expect(error).toMatchObject({
          kind: refusal.kind,
          message: refusal.message,
          hint: refusal.hint,
        });
      }
    }
    expect(log.lines).toEqual([]);
  });

  test("that is internal is logged once with its cause, and says nothing outside", async () => {
    const cause = new TypeError("x is undefined in secret.ts");
    const { url, log } = await serve({
      evaluate: () => {
        throw cause;
      },
      watch: async function* () {
        yield { frame: { case: "heartbeat", value: {} } };
        throw cause;
      },
    });
    const response = await post(url, "{}");
    expect(response.status).toBe(500);
    expect(await response.json()).toEqual({
      code: "internal",
      message: "internal error; the node's log has the details",
    });
    expect(log.lines).toMatchObject([
      {
        level: "error",
        event: "request-failed",
        message: "headwater.v1.FlagService/Evaluate failed: x is undefined in secret.ts",
        cause,
      },
    ]);
    const transport = createConnectTransport({ baseUrl: url, httpVersion: "1.1" });
    const watching = (async () => {
      for await (const _ of createClient(FlagService, transport).watch({}));
    })();
    const error = ConnectError.from(await watching.catch((thrown: unknown) => thrown));
    expect(error.code).toBe(Code.Internal);
    expect(error.message).not.toContain("secret");
    expect(log.events).toEqual(["request-failed", "request-failed"]);
  });
});

describe("a request", () => {
  test("past the bound on bytes is refused, compressed or not", async () => {
    const { url } = await serve({ evaluate: () => ({}) });
    const body = JSON.stringify({ project: "x".repeat(2_000) });
    for (const response of [
      await post(url, body),
      await post(url, new Uint8Array(gzipSync(body)), { "content-encoding": "gzip" }),
    ])
      expect(await response.json()).toMatchObject({ code: "resource_exhausted" });
  });

  test("that is not what the call takes names the field", async () => {
    const { url } = await serve({ evaluate: () => ({}) });
    const response = await post(url, `{"project":1}`);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      code: "invalid_argument",
      message: expect.stringContaining("project") as string,
    });
  });

  test("without a valid host does no harm", async () => {
    const { address, url } = await serve({ evaluate: () => ({ reason: "FULL" }) });
    for (const host of ["host: [\r\n", ""]) {
      const raw = await openRaw(address);
      raw.socket.write(`POST ${path} HTTP/1.0\r\n${host}content-length: 0\r\n\r\n`);
      await vi.waitFor(() => expect(raw.heard()).toContain("400 Bad Request"), within);
      expect(raw.heard()).toContain("invalid_argument");
      raw.socket.destroy();
    }
    expect(await (await post(url, "{}")).json()).toEqual({ reason: "FULL" });
  });

  test("to no path of ours is not found, in words", async () => {
    const { url } = await serve({});
    const response = await fetch(`${url}/nowhere?x=1`);
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({
      code: "unimplemented",
      message: expect.stringContaining("/nowhere") as string,
    });
  });

  test("goes to the fallback when it is no call; what that throws does no harm", async () => {
    const { url, log } = await serve(
      {},
      {
        fallback: async (request, response) => {
          if (request.url === "/bad") throw new Error("no such luck");
          response.writeHead(200);
          response.end("a page");
        },
      },
    );
    expect(await (await fetch(`${url}/page`)).text()).toBe("a page");
    const bad = await fetch(`${url}/bad`);
    expect(bad.status).toBe(500);
    expect(await bad.text()).not.toContain("luck");
    expect(log.events).toEqual(["request-failed"]);
  });

  test("is refused at the gate before its body is read", async () => {
    const { url } = await serve(
      { evaluate: () => ({}) },
      {
        gate: ({ requestHeader }) => {
          if (requestHeader.get("x-pass") !== "yes")
            throw new HeadwaterError({
              kind: "unauthenticated",
              message: "no pass",
              hint: "show it",
            });
        },
      },
    );
    const refused = await post(url, "this is no JSON");
    expect(refused.status).toBe(401);
    expect(await refused.json()).toEqual({ code: "unauthenticated", message: "no pass" });
    expect(refused.headers.get("headwater-hint")).toBe("show%20it");
    expect((await post(url, "{}", { "x-pass": "yes" })).status).toBe(200);
  });

  test("is known by the address that it comes from", async () => {
    const { url } = await serve({
      evaluate: (_, context) => ({ reason: remoteAddressOf(context) }),
    });
    expect(await (await post(url, "{}")).json()).toEqual({ reason: "127.0.0.1" });
    const overHttp2 = createClient(FlagService, createGrpcTransport({ baseUrl: url }));
    expect((await overHttp2.evaluate({})).reason).toBe("127.0.0.1");
  });
});

describe("pages of other origins", () => {
  const origin = "https://shop.example";
  const preflight = (url: string, from: string): Promise<Response> =>
    fetch(`${url}${path}`, {
      method: "OPTIONS",
      headers: { origin: from, "access-control-request-method": "POST" },
    });

  test("may not call by default", async () => {
    const { url } = await serve({ evaluate: () => ({}) });
    expect((await preflight(url, origin)).headers.get("access-control-allow-origin")).toBeNull();
    const response = await post(url, "{}", { origin });
    expect(response.headers.get("access-control-allow-origin")).toBeNull();
  });

  test("may call when their origin is listed, and only then", async () => {
    const { url } = await serve({ evaluate: () => ({}) }, { corsOrigins: [origin] });
    const allowed = await preflight(url, origin);
    expect(allowed.status).toBe(204);
    expect(allowed.headers.get("access-control-allow-origin")).toBe(origin);
    expect(allowed.headers.get("access-control-allow-methods")).toContain("POST");
    expect(allowed.headers.get("access-control-allow-headers")?.toLowerCase()).toContain(
      "content-type",
    );
    const response = await post(url, "{}", { origin });
    expect(response.headers.get("access-control-allow-origin")).toBe(origin);
    expect(response.headers.get("vary")).toBe("Origin");
    const other = await preflight(url, "https://other.example");
    expect(other.headers.get("access-control-allow-origin")).toBeNull();
  });

  test("may all call when every origin is listed", async () => {
    const { url } = await serve({ evaluate: () => ({}) }, { corsOrigins: ["*"] });
    expect((await preflight(url, origin)).headers.get("access-control-allow-origin")).toBe(origin);
  });
});
