/** Since the start, but for the watchers of now. */
export interface AppsCounts {
  watchersCount: number;
  reportsCount: number;
  reportsRefusedCount: number;
  otlpRequestsCount: number;
  otlpRequestsRefusedCount: number;
  /** Spans, events, log records and metrics, of which nothing was kept. */
  otlpRecordsDroppedCount: number;
}
