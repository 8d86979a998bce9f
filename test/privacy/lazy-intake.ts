import type { ReportRequest } from "../../gen/headwater/v1/apps_pb.ts";
import { panelOf } from "../../relay/telemetry/disclosure/panel.ts";
import { type Tally, tallyOf } from "../../relay/telemetry/intake/tally.ts";

interface Held {
  readonly instance: string;
  readonly rank: number;
  readonly report: ReportRequest;
  readonly wallMs: number;
}

/**
 * As an intake, only that it reads a report when it is asked for: a panel looks at twenty, and what
 * flags the others answer is never worked out. Tests of the intake hold it to the same sums.
 */
export class LazyIntake {
  readonly #held = new Map<string, Held>();
  readonly #rankOf: (instance: string) => number;

  constructor(rankOf: (instance: string) => number) {
    this.#rankOf = rankOf;
  }

  take(report: ReportRequest, wallMs: number): void {
    const { instance } = report;
    const rank = this.#held.get(instance)?.rank ?? this.#rankOf(instance);
    this.#held.set(instance, { instance, rank, report, wallMs });
  }

  /** Forgets whoever was not heard at this time. */
  expire(wallMs: number): void {
    for (const [instance, held] of this.#held)
      if (held.wallMs !== wallMs) this.#held.delete(instance);
  }

  get tally(): Tally {
    return tallyOf([...this.#held.values()].map(({ report }) => report));
  }

  get panel(): Tally {
    return tallyOf(panelOf(this.#held.values()).map(({ report }) => report));
  }

  get count(): number {
    return this.#held.size;
  }
}
