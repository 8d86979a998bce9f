/** Since the start, but for the watchers of now. */
export interface AppsCounts {
  watchersCount: number;
  reportsCount: number;
  reportsRefusedCount: number;
  otlpRequestsCount: number;
  otlpRequestsRefusedCount: number;
  /** Spans, events, log records and metrics, of which nothing was kept. */
  otlpRecordsDroppedCount: number;
  /** By the path of the call; all that is no call of a service, as OFREP's are none, is `other`. */
  readonly callsCounts: Map<string, number>;
}

/** Paths are those of the services that are served, so there are no more of them. */
export function countCall({ callsCounts }: AppsCounts, path: string): void {
  const name = path === "" ? "other" : path;
  callsCounts.set(name, (callsCounts.get(name) ?? 0) + 1);
}
