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
  /** Answers to single evaluations, by their reason. */
  readonly reasonsCounts: Map<string, number>;
}

/** Paths are those of the services that are served, so there are no more of them. */
export function countCall({ callsCounts }: AppsCounts, path: string): void {
  count(callsCounts, path === "" ? "other" : path);
}

/** Reasons are of a closed list. */
export function countReason({ reasonsCounts }: AppsCounts, reason: string): void {
  count(reasonsCounts, reason);
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

export function newAppsCounts(): AppsCounts {
  return {
    watchersCount: 0,
    reportsCount: 0,
    reportsRefusedCount: 0,
    otlpRequestsCount: 0,
    otlpRequestsRefusedCount: 0,
    otlpRecordsDroppedCount: 0,
    callsCounts: new Map(),
    reasonsCounts: new Map(),
  };
}
