export type Attributes = Readonly<Record<string, string | boolean | number>>;

/** As JSON of OTLP has attributes. */
export function listed(attributes: Attributes) {
  return Object.entries(attributes).map(([key, value]) => ({
    key,
    value: {
      ...(typeof value === "string" && { stringValue: value }),
      ...(typeof value === "boolean" && { boolValue: value }),
      ...(typeof value === "number" && { intValue: String(value) }),
    },
  }));
}

/** A batch of log records of one resource, as JSON of OTLP has it. */
export function logs(resource: Attributes, ...records: Attributes[]) {
  const logRecords = records.map(({ event, ...attributes }) => ({
    timeUnixNano: "1544712660000000000",
    traceId: "5b8efff798038103d269b633813fc60c",
    severityNumber: 9,
    body: { kvlistValue: { values: [] } },
    eventName: event,
    attributes: listed(attributes),
  }));
  return {
    resourceLogs: [
      { resource: { attributes: listed(resource) }, scopeLogs: [{ scope: {}, logRecords }] },
    ],
  };
}

/** The record of an evaluation, as the conventions of OpenTelemetry have it. */
export function evaluation(key: string, attributes: Attributes = {}): Attributes {
  return { event: "feature_flag.evaluation", "feature_flag.key": key, ...attributes };
}

export const on = { "feature_flag.result.variant": "on" };
