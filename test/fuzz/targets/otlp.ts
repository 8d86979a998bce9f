import { create, fromJsonString, toBinary, toJsonString } from "@bufbuild/protobuf";
import { LogsRequestSchema, TracesRequestSchema } from "../../../gen/opentelemetry/v1/otlp_pb.ts";
import { newAppsCounts } from "../../../nodes/apps/apps-counts.ts";
import { OtlpReports } from "../../../nodes/apps/otlp/otlp-reports.ts";
import { otlpSignals } from "../../../nodes/apps/otlp/otlp-signal.ts";
import { renewedEvery } from "../busy-node.ts";
import { project } from "../honest-mesh.ts";
import { FuzzAccess } from "../node-access.ts";
import { readOr } from "../read-or.ts";
import { assertSentence } from "../refusals.ts";
import { type Attempt, type Target, textBytes, textOf } from "../target.ts";

const text = (key: string, stringValue: string) => ({
  key,
  value: { value: { case: "stringValue" as const, value: stringValue } },
});
const resource = {
  attributes: [
    text("service.name", project),
    text("service.version", "2.0"),
    text("service.instance.id", "i-1"),
  ],
};
const evaluated = [
  text("feature_flag.key", "alpha"),
  text("feature_flag.result.variant", "on"),
  text("feature_flag.set.id", project),
  {
    key: "feature_flag.result.value",
    value: { value: { case: "boolValue" as const, value: true } },
  },
];
const crashed = [
  text("exception.type", "ValueError"),
  text("exception.stacktrace", "Error: x\n  at f (a.js:1:2)\n  at g (b.js:3:4)\n".repeat(5)),
];
export const otlpLogs = create(LogsRequestSchema, {
  resourceLogs: [
    {
      resource,
      scopeLogs: [
        {
          logRecords: [
            { eventName: "feature_flag.evaluation", attributes: evaluated },
            { eventName: "exception", attributes: crashed },
          ],
        },
      ],
    },
  ],
});
const traces = create(TracesRequestSchema, {
  resourceSpans: [
    {
      resource,
      scopeSpans: [
        {
          spans: [
            {
              name: "op",
              attributes: evaluated,
              events: [
                { name: "feature_flag.evaluation", attributes: evaluated },
                { name: "exception", attributes: crashed },
              ],
            },
          ],
        },
      ],
    },
  ],
});

function taking(isJson: boolean): Attempt {
  const nodeNow = renewedEvery(500);
  let access = new FuzzAccess(nodeNow());
  let otlp = new OtlpReports({ access, counts: newAppsCounts() });
  const signals = [...otlpSignals.values()];
  return async (input) => {
    const node = nodeNow();
    if (node !== access.node) {
      access = new FuzzAccess(node);
      otlp = new OtlpReports({ access, counts: newAppsCounts() });
    }
    let takenCount = 0;
    for (const signal of signals) {
      const message = isJson ? fromJson(signal.request, input) : readOr(signal.request, input);
      if (message === undefined) continue;
      const refused = await otlp.take(signal.batches(message), {
        address: "192.0.2.1",
        mayReport: () => true,
      });
      if (refused !== undefined) assertSentence("what OTLP is told", refused.message);
      signal.answer(refused).binary();
      JSON.parse(signal.answer(refused).json());
      if (refused === undefined) takenCount++;
    }
    return takenCount > 0 ? "accepted" : "refused";
  };
}

function fromJson(schema: Parameters<typeof readOr>[0], input: Uint8Array) {
  try {
    return fromJsonString(schema, textOf(input), { ignoreUnknownFields: true });
  } catch {
    return undefined;
  }
}

export const otlp: Target = {
  name: "OTLP",
  form: "wire",
  share: 12,
  seeds: () => [toBinary(LogsRequestSchema, otlpLogs), toBinary(TracesRequestSchema, traces)],
  open: () => taking(false),
};

export const jsonOtlp: Target = {
  name: "OTLP as JSON",
  form: "text",
  share: 8,
  seeds: () => [
    textBytes(toJsonString(LogsRequestSchema, otlpLogs)),
    textBytes(toJsonString(TracesRequestSchema, traces)),
  ],
  open: () => taking(true),
};
