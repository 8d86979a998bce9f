/** Since the start, but for the watchers of now. */
export interface AppsCounts {
  watchersCount: number;
  reportsCount: number;
  reportsRefusedCount: number;
}
