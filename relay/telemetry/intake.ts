import type { ReportRequest } from "../../gen/headwater/v1/apps_pb.ts";
import { panelOf, type Ranked } from "./disclosure/panel.ts";

export const healths = ["OK", "DEGRADED", "FAILED"] as const;

interface Held extends Ranked {
  readonly heardMs: number;
}

/**
 * The latest report of each instance of one project, for two intervals. `instance` is what counts
 * an instance once; it never leaves the site.
 */
export class Intake {
  /** The longest unheard first. */
  readonly #held = new Map<string, Held>();
  readonly #rankOf: (instance: string) => number;

  /** @param rankOf where the site's secret places an instance among all */
  constructor(rankOf: (instance: string) => number) {
    this.#rankOf = rankOf;
  }

  get instancesCount(): number {
    return this.#held.size;
  }

  /** Those heard since a time: what came before the operator's consent is not there for it. */
  reports(sinceMs: number): readonly ReportRequest[] {
    return [...this.#held.values()].flatMap(({ report, heardMs }) =>
      heardMs >= sinceMs ? [report] : [],
    );
  }

  /** The reports of the panel among those. */
  panel(sinceMs: number): readonly ReportRequest[] {
    return panelOf([...this.#held.values()].filter(({ heardMs }) => heardMs >= sinceMs));
  }

  holds(instance: string): boolean {
    return this.#held.has(instance);
  }

  take(report: ReportRequest, wallMs: number): void {
    const rank = this.#held.get(report.instance)?.rank ?? this.#rankOf(report.instance);
    this.#held.delete(report.instance);
    this.#held.set(report.instance, { report, heardMs: wallMs, rank });
  }

  forget(instance: string): void {
    this.#held.delete(instance);
  }

  /** Forgets instances that were silent for two intervals. */
  expire(wallMs: number, intervalMs: number): void {
    for (const [instance, { heardMs }] of this.#held) {
      if (wallMs - heardMs <= 2 * intervalMs) return;
      this.#held.delete(instance);
    }
  }
}
