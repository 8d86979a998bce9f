import type { Document } from "../../gen/headwater/v1/telemetry_pb.ts";
import { documentAgainIntervalMs } from "../cadence.ts";
import type { Effect } from "../effect.ts";
import type { Moment } from "../event.ts";
import type { Outbox } from "./outbox.ts";

interface Submission {
  readonly upstream: string;
  readonly document: Document;
  readonly atMonoMs: number;
}

/** Documents that an upstream could not take, until they are tried once more. */
export class Resubmissions {
  readonly #waiting: Submission[] = [];

  add(of: { upstream: string; document: Document; at: Moment }): void {
    const { upstream, document, at } = of;
    this.#waiting.push({ upstream, document, atMonoMs: at.monoMs + documentAgainIntervalMs });
  }

  /** Those whose time has come, as far as they may still leave. */
  due(at: Moment, outbox: Pick<Outbox, "mayLeave">): Effect[] {
    const effects: Effect[] = [];
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
      if (first.atMonoMs > at.monoMs) break;
      this.#waiting.shift();
      const { upstream, document } = first;
      if (!outbox.mayLeave(upstream, document)) continue;
      effects.push({ kind: "submit-document", upstream, document });
    }
    return effects;
  }
}
