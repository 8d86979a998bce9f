import { gzipSync } from "node:zlib";
import { beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { otlpBodyBytesMax } from "../../../relay/limits.ts";
import { FakeAccess } from "../fake-access.ts";
import { openRaw } from "../http/raw-connection.ts";
import { callJson, type OpenedApps, openTestApps } from "./open-apps.ts";

/** Twenty thousand requests would say no more than a few. */
const small = vi.hoisted(() => ({ reportsBurstMax: 3, reportsPerSecondMax: 2, otlpBodiesMax: 2 }));
vi.mock("../../../relay/limits.ts", async (actual) => ({ ...(await actual<object>()), ...small }));

const within = { timeout: 20_000 };

let apps: OpenedApps;

beforeEach(async () => {
  const access = new FakeAccess();
  access.answers.set("report", () => ({ nextAfterMs: 0 }));
  apps = await openTestApps(access);
});

const report = { project: "horizon", version: "1", health: "OK", instance: "i-1" };

async function exportLogs(
  body: string | Uint8Array<ArrayBuffer> = "{}",
  headers: Record<string, string> = {},
): Promise<number> {
  const { status } = await fetch(`${apps.url}/v1/logs`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body,
  });
  return status;
}

test.each([
  ["reports", async () => (await callJson(apps.url, "TelemetryService/Report", report)).status],
  ["batches of OTLP", exportLogs],
])("so many %s of one address are taken at once, and then each second", async (_, send) => {
  const taken = async (count: number): Promise<number> => {
    let takenCount = 0;
    for (let n = 0; n < count; n++) if ((await send()) === 200) takenCount++;
    return takenCount;
  };
  expect(await taken(small.reportsBurstMax + 1)).toBe(small.reportsBurstMax);
  apps.access.monoMs += 1_000;
  expect(await taken(small.reportsPerSecondMax + 1)).toBe(small.reportsPerSecondMax);
});

test("so many bodies of OTLP are read at once; with one more a client is to come again", async () => {
  const half = "POST /v1/logs HTTP/1.1\r\nhost: n\r\ncontent-type: application/json\r\n";
  const open = await Promise.all(
    Array.from({ length: small.otlpBodiesMax }, async () => {
      const raw = await openRaw(apps.address);
      onTestFinished(() => void raw.socket.destroy());
      raw.socket.write(`${half}content-length: 2\r\n\r\n{`);
      return raw;
    }),
  );
  await vi.waitFor(async () => {
    apps.access.monoMs += 10_000;
    expect(await exportLogs()).toBe(503);
  }, within);
  open[0]?.socket.write("}");
  await vi.waitFor(() => expect(open[0]?.heard()).toContain("200 OK"), within);
  apps.access.monoMs += 10_000;
  expect(await exportLogs()).toBe(200);
});

test.each([
  ["as it is", (body: Buffer) => body, {}],
  ["unpacked", gzipSync, { "content-encoding": "gzip" }],
])("a body of OTLP has so many bytes at most, %s", async (_, packed, headers) => {
  const bodyOf = (length: number) => new Uint8Array(packed(Buffer.from("{}".padEnd(length))));
  expect(await exportLogs(bodyOf(otlpBodyBytesMax), headers)).toBe(200);
  expect(await exportLogs(bodyOf(otlpBodyBytesMax + 1), headers)).toBe(413);
});
