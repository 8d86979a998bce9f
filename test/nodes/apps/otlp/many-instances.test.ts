import { fromJson } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import type { ReportRequest } from "../../../../gen/headwater/v1/apps_pb.ts";
import { LogsRequestSchema } from "../../../../gen/opentelemetry/v1/otlp_pb.ts";
import { newAppsCounts } from "../../../../nodes/apps/apps-counts.ts";
import { OtlpReports } from "../../../../nodes/apps/otlp/otlp-reports.ts";
import { otlpSignals } from "../../../../nodes/apps/otlp/otlp-signal.ts";
import { FlagTable } from "../../../../relay/layers/flag-table.ts";
import { otlpInstancesMax } from "../../../../relay/limits.ts";
import { FakeAccess, flagAt } from "../../fake-access.ts";
import { openTestApps } from "../open-apps.ts";
import { evaluation, logs, on } from "./log-batch.ts";

const app = { "service.name": "horizon", "service.instance.id": "i-1" };

function attribute(key: string, stringValue: string) {
  return { key, value: { stringValue } };
}

/** One request with more instances than are remembered. */
const ofMany = {
  resourceLogs: Array.from({ length: otlpInstancesMax + 1 }, (_, n) => ({
    resource: {
      attributes: [
        attribute("service.name", "horizon"),
        attribute("service.instance.id", `x-${n}`),
      ],
    },
  })),
};

function newNode(): FakeAccess {
  const access = new FakeAccess();
  access.answers.set("report", () => ({ nextAfterMs: 0 }));
  const flags = ["wide", "narrow"].map((name) => flagAt(name, 10_000));
  access.project("horizon", { tables: new Map([["", new FlagTable("", flags)]]) });
  return access;
}

function newestReport({ asked }: FakeAccess): ReportRequest | undefined {
  return asked.flatMap((one) => (one.kind === "report" ? one.report : [])).at(-1);
}

test("one request with more instances than are remembered makes nobody else start anew", async () => {
  const access = newNode();
  const { url } = await openTestApps(access, { reportRate: { burst: 20, perSecond: 1 } });
  const post = async (body: unknown): Promise<number> => {
    const headers = { "content-type": "application/json" };
    const asked = { method: "POST", headers, body: JSON.stringify(body) };
    return (await fetch(`${url}/v1/logs`, asked)).status;
  };
  expect(await post(logs(app, evaluation("wide", on)))).toBe(200);
  expect(await post(ofMany)).toBe(200);
  access.monoMs += 20_000;
  expect(await post(logs(app, evaluation("narrow", on)))).toBe(200);
  expect(newestReport(access)?.flags.map(({ name }) => name)).toEqual(["wide", "narrow"]);
});

test("it lets everything else have its turn", async () => {
  const taking = new OtlpReports({ access: newNode(), counts: newAppsCounts() });
  const signal = otlpSignals.get("/v1/logs")!;
  const batches = signal.batches(fromJson(LogsRequestSchema, ofMany));
  let turnsCount = 0;
  const counting = setInterval(() => turnsCount++, 0);
  await taking.take(batches, { address: "192.0.2.1", mayReport: () => true });
  clearInterval(counting);
  expect(turnsCount).toBeGreaterThan(10);
});
