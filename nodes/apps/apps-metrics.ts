import type { Count, LabelledCounter } from "../metric.ts";
import type { AppsCounts } from "./apps-counts.ts";

/** What the apps port has to say to monitoring. */
export function appsMetrics(counts: Readonly<AppsCounts>): Count[] {
  return [
    {
      name: "watchers",
      help: "Watch streams of apps",
      kind: "gauge",
      read: () => counts.watchersCount,
    },
    {
      name: "reports_total",
      help: "Reports of apps that were taken",
      kind: "counter",
      read: () => counts.reportsCount,
    },
    {
      name: "reports_refused_total",
      help: "Reports of apps that were refused",
      kind: "counter",
      read: () => counts.reportsRefusedCount,
    },
    {
      name: "otlp_requests_total",
      help: "Requests of OTLP that were taken",
      kind: "counter",
      read: () => counts.otlpRequestsCount,
    },
    {
      name: "otlp_requests_refused_total",
      help: "Requests of OTLP that were refused",
      kind: "counter",
      read: () => counts.otlpRequestsRefusedCount,
    },
    {
      name: "otlp_records_dropped_total",
      help: "Spans, events, log records and metrics of OTLP of which nothing was kept",
      kind: "counter",
      read: () => counts.otlpRecordsDroppedCount,
    },
  ];
}

/** The same where it is told apart, by labels of few values. */
export function appsMetricsByLabel(counts: Readonly<AppsCounts>): LabelledCounter[] {
  return [
    {
      name: "app_calls_total",
      help: "Calls of apps, by path; OFREP's are `other`",
      label: "call",
      read: () => counts.callsCounts,
    },
    {
      name: "evaluations_total",
      help: "Answers to Evaluate, by reason",
      label: "reason",
      read: () => counts.reasonsCounts,
    },
  ];
}
