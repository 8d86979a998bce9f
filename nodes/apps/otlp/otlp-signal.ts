import {
  create,
  type DescMessage,
  type MessageShape,
  toBinary,
  toJsonString,
} from "@bufbuild/protobuf";
import {
  type KeyValue,
  LogsRequestSchema,
  LogsResponseSchema,
  MetricsRequestSchema,
  MetricsResponseSchema,
  type Resource,
  TracesRequestSchema,
  TracesResponseSchema,
} from "../../../gen/opentelemetry/v1/otlp_pb.ts";

/** Something that was recorded, under its name: a log record, a span, or an event of one. */
export interface OtlpRecord {
  readonly name: string;
  readonly attributes: readonly KeyValue[];
}

/** What one resource has sent. */
export interface OtlpBatch {
  readonly resource: Resource | undefined;
  readonly records: readonly OtlpRecord[];
  /** Metrics, of which nothing is read. */
  readonly unreadCount: number;
}

/** One of the three things that OTLP carries, each at a path of its own. */
export interface OtlpSignal {
  readonly request: DescMessage;
  readonly batches: (request: MessageShape<DescMessage>) => OtlpBatch[];
  /** The answer that everything, or everything but some records, was taken. */
  readonly answer: (refused: Refused | undefined) => Answer;
}

export interface Refused {
  readonly count: number;
  readonly message: string;
}

/** In both encodings. */
export interface Answer {
  binary(): Uint8Array;
  json(): string;
}

export function answerOf<Desc extends DescMessage>(
  schema: Desc,
  message: MessageShape<Desc>,
): Answer {
  return { binary: () => toBinary(schema, message), json: () => toJsonString(schema, message) };
}

const logs: OtlpSignal = {
  request: LogsRequestSchema,
  batches: (request) =>
    (request as MessageShape<typeof LogsRequestSchema>).resourceLogs.map(
      ({ resource, scopeLogs }) => ({
        resource,
        records: scopeLogs.flatMap(({ logRecords }) => logRecords.map(logRecordOf)),
        unreadCount: 0,
      }),
    ),
  answer: (refused) =>
    answerOf(
      LogsResponseSchema,
      create(LogsResponseSchema, {
        ...(refused && {
          partialSuccess: {
            rejectedLogRecords: BigInt(refused.count),
            errorMessage: refused.message,
          },
        }),
      }),
    ),
};

const traces: OtlpSignal = {
  request: TracesRequestSchema,
  batches: (request) =>
    (request as MessageShape<typeof TracesRequestSchema>).resourceSpans.map(
      ({ resource, scopeSpans }) => ({
        resource,
        records: scopeSpans.flatMap(({ spans }) => spans.flatMap((span) => [span, ...span.events])),
        unreadCount: 0,
      }),
    ),
  // A span is kept elsewhere, if at all; what is told here is only that something in one was of no use.
  answer: (refused) =>
    answerOf(
      TracesResponseSchema,
      create(TracesResponseSchema, {
        ...(refused && { partialSuccess: { rejectedSpans: 0n, errorMessage: refused.message } }),
      }),
    ),
};

const metrics: OtlpSignal = {
  request: MetricsRequestSchema,
  batches: (request) =>
    (request as MessageShape<typeof MetricsRequestSchema>).resourceMetrics.map(
      ({ resource, scopeMetrics }) => ({
        resource,
        records: [],
        unreadCount: scopeMetrics.reduce((count, scope) => count + scope.metrics.length, 0),
      }),
    ),
  answer: () => answerOf(MetricsResponseSchema, create(MetricsResponseSchema)),
};

/** By path. */
export const otlpSignals: ReadonlyMap<string, OtlpSignal> = new Map([
  ["/v1/logs", logs],
  ["/v1/traces", traces],
  ["/v1/metrics", metrics],
]);

/** Before records had names of their own, an attribute held it. */
function logRecordOf(record: { eventName: string; attributes: KeyValue[] }): OtlpRecord {
  const { eventName, attributes } = record;
  if (eventName !== "") return { name: eventName, attributes };
  const held = attributes.find(({ key }) => key === "event.name")?.value?.value;
  const name = held?.case === "stringValue" ? held.value : "";
  return { name, attributes };
}
