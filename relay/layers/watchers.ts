/**
 * How many watch, by project and version: which release that is may change while they do. Apps may
 * come before their project is pinned. There are no more of them than streams.
 */
export class Watchers {
  readonly #counts = new Map<string, Map<string, number>>();

  /** Somebody begins (1) or ends (-1) to watch the table for a version. */
  count(project: string, version: string, by: 1 | -1): void {
    const counts = this.#counts.get(project) ?? new Map<string, number>();
    const count = (counts.get(version) ?? 0) + by;
    if (count > 0) counts.set(version, count);
    else counts.delete(version);
    if (counts.size > 0) this.#counts.set(project, counts);
    else this.#counts.delete(project);
  }

  versionsOf(project: string): Iterable<string> {
    return this.#counts.get(project)?.keys() ?? [];
  }
}
