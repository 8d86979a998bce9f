import type { ReportRequest } from "../../gen/headwater/v1/apps_pb.ts";

export const healths = ["OK", "DEGRADED", "FAILED"] as const;

interface Held {
  readonly report: ReportRequest;
  readonly heardMs: number;
}

/**
 * The latest report of each instance of one project, for two intervals. `instance` is what counts
 * an instance once; it never leaves the site.
 */
export class Intake {
  /** The longest unheard first. */
  readonly #held = new Map<string, Held>();

  get instancesCount(): number {
    return this.#held.size;
  }

  /** Those heard since a time: what came before the operator's consent is not there for it. */
  reports(sinceMs: number): readonly ReportRequest[] {
    return [...this.#held.values()].flatMap(({ report, heardMs }) =>
      heardMs >= sinceMs ? [report] : [],
    );
  }

  holds(instance: string): boolean {
    return this.#held.has(instance);
  }

  take(report: ReportRequest, wallMs: number): void {
    this.#held.delete(report.instance);
    this.#held.set(report.instance, { report, heardMs: wallMs });
  }

  /** Forgets instances that were silent for two intervals. */
  expire(wallMs: number, intervalMs: number): void {
    for (const [instance, { heardMs }] of this.#held) {
      if (wallMs - heardMs <= 2 * intervalMs) return;
      this.#held.delete(instance);
    }
  }
}
