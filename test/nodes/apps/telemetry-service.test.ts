import { describe, expect, test } from "vitest";
import { HeadwaterError } from "../../../nodes/error.ts";
import {
  crashLengthMax,
  instanceLengthMax,
  reportCrashesMax,
  reportDependenciesMax,
  reportFeaturesMax,
  reportFlagsMax,
  versionLengthMax,
} from "../../../relay/limits.ts";
import { FakeAccess } from "../fake-access.ts";
import { callJson, openTestApps } from "./open-apps.ts";

const method = "TelemetryService/Report";
const report = {
  project: "horizon",
  version: "2.3.0",
  health: "OK",
  instance: "i-1",
  flags: [{ name: "new-scheduler", active: true }, { name: "fast-path" }],
  features: ["keystone-v2-api"],
  dependencies: [{ project: "libwater", version: "1.0.0" }],
  upgrade: { from: "2.2.0", outcome: "OK" },
  crashes: ["0123456789abcdef"],
};

function answering(nextAfterMs = 3_600_000): FakeAccess {
  const access = new FakeAccess();
  access.answers.set("report", () => ({ nextAfterMs }));
  return access;
}

function times<T>(count: number, one: T): T[] {
  return Array.from({ length: count }, () => one);
}

describe("Report", () => {
  test("hands the report to the node, and its answer back", async () => {
    const { url, access, counts } = await openTestApps(answering(1_234));
    expect(await callJson(url, method, report)).toEqual({
      status: 200,
      body: { nextAfterMs: 1_234 },
    });
    expect(access.asked).toMatchObject([{ kind: "report", report: { instance: "i-1" } }]);
    expect(counts).toMatchObject({ reportsCount: 1, reportsRefusedCount: 0 });
  });

  test("needs no more than a project, an instance and its health", async () => {
    const { url } = await openTestApps(answering());
    const shortest = { project: "horizon", instance: "i-1", health: "FAILED" };
    expect((await callJson(url, method, shortest)).status).toBe(200);
  });

  test("takes a report that is at all its bounds", async () => {
    const { url } = await openTestApps(answering());
    const name = "x".repeat(100);
    const version = "x".repeat(versionLengthMax);
    const longest = {
      project: name,
      version,
      health: "DEGRADED",
      instance: "x".repeat(instanceLengthMax),
      flags: times(reportFlagsMax, { name, active: true }),
      features: times(reportFeaturesMax, name),
      dependencies: times(reportDependenciesMax, { project: name, version }),
      upgrade: { from: version, outcome: "FAILED" },
      crashes: times(reportCrashesMax, "f".repeat(crashLengthMax)),
    };
    expect((await callJson(url, method, longest)).status).toBe(200);
  });

  test("passes on what the node refuses", async () => {
    const access = new FakeAccess();
    access.answers.set("report", () => {
      throw new HeadwaterError({ kind: "unknown", message: "project: not held here" });
    });
    const { url, log } = await openTestApps(access);
    expect(await callJson(url, method, report)).toEqual({
      status: 404,
      body: { code: "not_found", message: "project: not held here" },
    });
    expect(log.lines).toEqual([]);
  });
});

const name = "new-scheduler";

test.each([
  ["project", { project: "no name" }],
  ["version", { version: "x".repeat(versionLengthMax + 1) }],
  ["health", { health: "" }],
  ["health", { health: "fine" }],
  ["instance", { instance: "" }],
  ["instance", { instance: "x".repeat(instanceLengthMax + 1) }],
  ["flags", { flags: times(reportFlagsMax + 1, { name }) }],
  ["flags[3].name", { flags: [...times(3, { name }), { name: "a flag" }] }],
  ["features", { features: times(reportFeaturesMax + 1, name) }],
  ["features[1]", { features: [name, ""] }],
  ["dependencies", { dependencies: times(reportDependenciesMax + 1, { project: name }) }],
  ["dependencies[0].project", { dependencies: [{ project: "/etc/passwd" }] }],
  [
    "dependencies[0].version",
    { dependencies: [{ project: name, version: "x".repeat(versionLengthMax + 1) }] },
  ],
  ["upgrade.from", { upgrade: { from: "x".repeat(versionLengthMax + 1), outcome: "OK" } }],
  ["upgrade.outcome", { upgrade: { from: "2.2.0", outcome: "MAYBE" } }],
  ["crashes", { crashes: times(reportCrashesMax + 1, "0123456789abcdef") }],
  ["crashes[0]", { crashes: ["TypeError: x of customer 4711 is undefined"] }],
  ["crashes[0]", { crashes: ["f".repeat(crashLengthMax + 1)] }],
])("Report refuses a wrong %s by its name", async (field, wrong) => {
  const { url, access, counts } = await openTestApps(answering());
  const { status, body } = await callJson(url, method, { ...report, ...wrong });
  expect(status).toBe(400);
  const { code, message } = body as { code: string; message: string };
  expect(code).toBe("invalid_argument");
  expect(message.slice(0, field.length + 2)).toBe(`${field}: `);
  expect(access.asked).toEqual([]);
  expect(counts.reportsRefusedCount).toBe(1);
});

test("Report bounds what one address sends, until time has passed", async () => {
  const reportRate = { burst: 2, perSecond: 1 };
  const { url, access, counts } = await openTestApps(answering(), { reportRate });
  const send = async (): Promise<number> => (await callJson(url, method, report)).status;
  expect([await send(), await send()]).toEqual([200, 200]);
  expect(await callJson(url, method, report)).toEqual({
    status: 429,
    body: { code: "resource_exhausted", message: "127.0.0.1 reports too often" },
  });
  expect(counts).toMatchObject({ reportsCount: 2, reportsRefusedCount: 1 });
  access.monoMs += 1_000;
  expect([await send(), await send()]).toEqual([200, 429]);
});
