import { gzipSync } from "node:zlib";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { beforeEach, describe, expect, test } from "vitest";
import type { ReportRequest } from "../../../../gen/headwater/v1/apps_pb.ts";
import {
  LogsRequestSchema,
  LogsResponseSchema,
  StatusSchema,
} from "../../../../gen/opentelemetry/v1/otlp_pb.ts";
import { HeadwaterError } from "../../../../nodes/error.ts";
import { FlagTable } from "../../../../relay/layers/flag-table.ts";
import { FakeAccess } from "../../fake-access.ts";
import { type OpenedApps, openTestApps } from "../open-apps.ts";
import { evaluation, listed, logs, on } from "./log-batch.ts";

const app = {
  "service.name": "horizon",
  "service.version": "2.3.0",
  "service.instance.id": "i-1",
};

let access: FakeAccess;
let apps: OpenedApps;

beforeEach(async () => {
  access = new FakeAccess();
  access.answers.set("report", () => ({ nextAfterMs: 0 }));
  const flags = ["wide", "narrow"].map((name) => flagNamed(name));
  access.project("horizon", { tables: new Map([["", new FlagTable("", flags)]]) });
  apps = await openTestApps(access, { reportRate: { burst: 20, perSecond: 1 } });
});

function flagNamed(name: string) {
  return { name, basisPoints: 10_000, hash: 2, reason: "FULL" } as const;
}

async function post(
  body: unknown,
  of: { path?: string; headers?: Record<string, string> } = {},
): Promise<{ status: number; headers: Headers; body: Uint8Array; json: () => unknown }> {
  const isRaw = typeof body === "string" || body instanceof Uint8Array;
  const response = await fetch(`${apps.url}${of.path ?? "/v1/logs"}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...of.headers },
    body: isRaw ? (body as string) : JSON.stringify(body),
  });
  const bytes = new Uint8Array(await response.arrayBuffer());
  const json = (): unknown => JSON.parse(Buffer.from(bytes).toString());
  return { status: response.status, headers: response.headers, body: bytes, json };
}

function reports(): ReportRequest[] {
  return access.asked.flatMap((asked) => (asked.kind === "report" ? asked.report : []));
}

test("one request makes no more reports than its sender may make by itself", async () => {
  const ofMany = Array.from({ length: 100 }, (_, n) =>
    logs({ ...app, "service.instance.id": `i-${n}` }, evaluation("wide", on)),
  );
  const body = { resourceLogs: ofMany.flatMap(({ resourceLogs }) => resourceLogs) };
  const answer = await post(body);
  expect(answer.status).toBe(200);
  expect(reports().length).toBeLessThanOrEqual(20);
  expect(answer.json()).toMatchObject({
    partialSuccess: { errorMessage: "too many instances report at once" },
  });
});

describe("an evaluation of a flag", () => {
  test.each([
    ["a variant", on, true],
    ["a value", { "feature_flag.result.value": true }, true],
    ["a value off", { "feature_flag.result.value": false }, false],
    ["a variant off", { "feature_flag.result.variant": "off" }, false],
    ["the variant of before", { "feature_flag.variant": "true" }, true],
    ["the set that clients are told", { ...on, "feature_flag.set.id": "horizon" }, true],
  ])("with %s becomes part of a report", async (_, attributes, active) => {
    const answer = await post(logs(app, evaluation("wide", attributes)));
    expect([answer.status, answer.json()]).toEqual([200, {}]);
    expect(reports()).toMatchObject([
      {
        project: "horizon",
        version: "2.3.0",
        instance: "i-1",
        health: "OK",
        flags: [{ name: "wide", active }],
        crashes: [],
      },
    ]);
    expect(apps.counts.otlpRecordsDroppedCount).toBe(0);
  });

  test("adds to those of earlier batches, and only what is new is reported", async () => {
    await post(logs(app, evaluation("wide", on)));
    await post(logs(app, evaluation("wide", on)));
    expect(reports()).toHaveLength(1);
    await post(logs(app, evaluation("narrow", { "feature_flag.result.variant": "off" })));
    expect(reports().at(-1)?.flags).toMatchObject([
      { name: "wide", active: true },
      { name: "narrow", active: false },
    ]);
    await post(logs({ ...app, "service.version": "2.4.0" }, evaluation("narrow", on)));
    expect(reports().at(-1)).toMatchObject({
      version: "2.4.0",
      flags: [{ name: "narrow", active: true }],
    });
    expect(reports()).toHaveLength(3);
  });

  test("that was not taken is reported with the next batch", async () => {
    access.answers.set("report", () => {
      throw new HeadwaterError({ kind: "limit", message: "too many report here" });
    });
    const refused = await post(logs(app, evaluation("wide", on)));
    expect(refused.json()).toEqual({
      partialSuccess: { rejectedLogRecords: "1", errorMessage: "too many report here" },
    });
    access.answers.set("report", () => ({ nextAfterMs: 0 }));
    await post(logs(app));
    expect(reports().at(-1)?.flags).toMatchObject([{ name: "wide", active: true }]);
  });

  test("of another project, or of no flag that is known, is dropped and counted", async () => {
    const answer = await post(
      logs(
        app,
        evaluation("wide", { ...on, "feature_flag.set.id": "other" }),
        evaluation("unheard-of", on),
        evaluation("wide", { "feature_flag.result.variant": "red" }),
        { event: "login", "user.email": "alice@example.org" },
      ),
    );
    expect(answer.json()).toEqual({});
    expect(reports()).toMatchObject([{ flags: [] }]);
    expect(apps.counts.otlpRecordsDroppedCount).toBe(4);
  });
});

test("an exception is a signature, without a word of it", async () => {
  const stack = "ValueError: alice\n    at plan (/home/alice/a.js:1:1)\n    at run (b.js:1:1)";
  await post(
    logs(app, {
      "exception.type": "ValueError",
      "exception.message": "alice",
      "exception.stacktrace": stack,
    }),
  );
  expect(reports()).toMatchObject([{ crashes: [expect.stringMatching(/^[0-9a-f]{16}$/)] }]);
  expect(JSON.stringify(reports())).not.toContain("alice");
});

test("spans are read for their events, metrics only for who sends them", async () => {
  const attributes = listed({ "feature_flag.key": "wide", ...on });
  const resource = { attributes: listed(app) };
  const spans = [
    { name: "GET /", events: [{ name: "feature_flag", attributes }, { name: "retry" }] },
    { name: "POST /", attributes: listed({ "http.route": "/alice" }) },
  ];
  const path = "/v1/traces";
  const traced = await post({ resourceSpans: [{ resource, scopeSpans: [{ spans }] }] }, { path });
  expect([traced.status, traced.json()]).toEqual([200, {}]);
  expect(reports()).toMatchObject([{ flags: [{ name: "wide", active: true }] }]);
  expect(apps.counts.otlpRecordsDroppedCount).toBe(3);

  const metrics = [{ name: "http.server.duration", gauge: { dataPoints: [{ asDouble: 1 }] } }];
  const measured = await post(
    { resourceMetrics: [{ resource, scopeMetrics: [{ metrics }] }] },
    { path: "/v1/metrics" },
  );
  expect([measured.status, measured.json()]).toEqual([200, {}]);
  expect(apps.counts.otlpRecordsDroppedCount).toBe(4);
});

describe("a resource", () => {
  test.each([
    ["without an instance", { ...app, "service.instance.id": "" }, "service.instance.id"],
    [
      "with no name of a project",
      { ...app, "service.name": "unknown_service:node" },
      "service.name",
    ],
    ["of a project that is not held", { ...app, "service.name": "other" }, "service.name"],
    ["with too long a version", { ...app, "service.version": "1".repeat(101) }, "service.version"],
  ])("%s has its evaluations refused, with the reason", async (_, resource, named) => {
    const answer = await post(logs(resource, evaluation("wide", on), { event: "login" }));
    expect(answer.status).toBe(200);
    expect(answer.json()).toEqual({
      partialSuccess: { rejectedLogRecords: "1", errorMessage: expect.stringContaining(named) },
    });
    expect(reports()).toEqual([]);
    expect(apps.counts.otlpRecordsDroppedCount).toBe(2);
    // Who sends nothing that is for this node is not told off for it.
    expect((await post(logs(resource, { event: "login" }))).json()).toEqual({});
  });
});

describe("in protobuf", () => {
  const headers = { "content-type": "application/x-protobuf" };
  const attribute = (key: string, value: string) => ({
    key,
    value: { value: { case: "stringValue", value } as const },
  });
  const request = create(LogsRequestSchema, {
    resourceLogs: [
      {
        resource: { attributes: Object.entries(app).map(([key, value]) => attribute(key, value)) },
        scopeLogs: [
          {
            logRecords: [
              {
                eventName: "feature_flag.evaluation",
                attributes: [
                  attribute("feature_flag.key", "wide"),
                  attribute("feature_flag.result.variant", "on"),
                ],
              },
            ],
          },
        ],
      },
    ],
  });

  test("the same is taken, packed or not, and answered in protobuf", async () => {
    const bytes = toBinary(LogsRequestSchema, request);
    const answer = await post(bytes, { headers });
    expect(answer.headers.get("content-type")).toBe("application/x-protobuf");
    expect(fromBinary(LogsResponseSchema, answer.body).partialSuccess).toBeUndefined();
    expect(reports()).toHaveLength(1);
    const packed = await post(gzipSync(bytes), {
      headers: { ...headers, "content-encoding": "gzip" },
    });
    expect(packed.status).toBe(200);
  });

  test("what is none is a bad request, with a status that says so", async () => {
    const answer = await post(new Uint8Array([0x0a, 0xff, 0xff]), { headers });
    expect(answer.status).toBe(400);
    expect(answer.headers.get("content-type")).toBe("application/x-protobuf");
    expect(fromBinary(StatusSchema, answer.body)).toMatchObject({
      code: 3,
      message: "the body is not OTLP in protobuf",
    });
  });
});

describe("bad input is refused, and nothing else is the worse for it:", () => {
  const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024));
  const gzip = { "content-encoding": "gzip" };
  test.each<[string, number, unknown, Record<string, string>]>([
    ["no JSON", 400, "{", {}],
    ["JSON of something else", 400, { resourceLogs: "x" }, {}],
    ["JSON that is too deep", 400, "[".repeat(100_000), {}],
    ["no gzip", 400, "plain", gzip],
    ["gzip that is cut short", 400, gzipSync("x".repeat(10_000)).subarray(0, 30), gzip],
    ["a little gzip that becomes much", 413, bomb, gzip],
    ["a body past the bound", 413, Buffer.alloc(4 * 1024 * 1024 + 1), {}],
    ["another packing", 415, "x", { "content-encoding": "zstd" }],
    ["another type", 415, "x", { "content-type": "text/plain" }],
  ])("%s", async (_, status, body, headers) => {
    const answer = await post(body, { headers });
    expect(answer.status).toBe(status);
    expect(answer.json()).toMatchObject({ message: expect.any(String) });
    expect(apps.counts.otlpRequestsRefusedCount).toBe(1);
    expect((await post(logs(app, evaluation("wide", on)))).status).toBe(200);
    expect(reports()).toHaveLength(1);
  });

  test("another method", async () => {
    const response = await fetch(`${apps.url}/v1/logs`);
    expect([response.status, response.headers.get("allow")]).toEqual([405, "POST"]);
  });

  test("too much of it, which may come again later", async () => {
    const answers = await Promise.all(Array.from({ length: 25 }, () => post(logs(app))));
    const late = answers.filter(({ status }) => status === 429);
    expect(late).toHaveLength(5);
    expect(late[0]?.headers.get("retry-after")).toBe("5");
  });
});
