import { Code, ConnectError } from "@connectrpc/connect";
import type { ReportRequest } from "../gen/headwater/v1/apps_pb.ts";
import { Backoff } from "./backoff.ts";
import { Deadline } from "./deadline.ts";
import {
  reportGapMs,
  reportIntervalMs,
  reportIntervalMsMax,
  reportIntervalMsMin,
  reportJitter,
  reportMsMax,
} from "./limits.ts";
import type { NodeCalls } from "./node-calls.ts";
import { pause } from "./timer.ts";

/** What a reporter works with. */
export interface ReporterParts {
  /** In the order in which they are tried. */
  readonly nodes: readonly NodeCalls[];
  /** From 0 to 1, without 1. */
  readonly random: () => number;
  /** What there is to say now. */
  readonly contents: () => ReportRequest;
  readonly failed: (url: string, thrown: unknown) => void;
  readonly succeeded: () => void;
}

/** Says how the app is: at the start, when told to hurry, and when the node wants to hear again. */
export class Reporter {
  readonly #parts: ReporterParts;
  readonly #backoff: Backoff;
  #idle: Deadline | undefined;
  #isLast = false;

  constructor(parts: ReporterParts) {
    this.#parts = parts;
    this.#backoff = new Backoff(parts.random);
  }

  /** Ends with the signal, and never fails. */
  async run(signal: AbortSignal): Promise<void> {
    let wasHurried = false;
    while (!signal.aborted) {
      const idle = new Deadline(signal);
      this.#idle = idle;
      const nextMs = await this.#report(signal);
      if (wasHurried) await pause(reportGapMs, signal);
      await pause(nextMs, idle.signal);
      wasHurried = idle.signal.aborted;
      idle.close();
    }
  }

  /** There is something to say that should not wait. */
  hurry(): void {
    this.#idle?.close();
  }

  /**
   * Says what there still is to say, and that it is the last: whoever goes without a word may have
   * used anything before.
   */
  async finish(signal: AbortSignal): Promise<void> {
    this.#isLast = true;
    await this.#report(signal);
  }

  /** Tells the first node that listens; answers in how many milliseconds to report again. */
  async #report(signal: AbortSignal): Promise<number> {
    const contents = this.#parts.contents();
    contents.last = this.#isLast;
    for (const node of this.#parts.nodes) {
      const nextMs = await this.#tell(node, contents, signal);
      if (nextMs !== undefined) return nextMs;
    }
    return this.#backoff.nextMs();
  }

  async #tell(
    node: NodeCalls,
    contents: ReportRequest,
    signal: AbortSignal,
  ): Promise<number | undefined> {
    const deadline = new Deadline(signal);
    try {
      deadline.set(reportMsMax);
      const { nextAfterMs } = await node.report(contents, deadline.signal);
      this.#backoff.reset();
      this.#parts.succeeded();
      return this.#jittered(nextAfterMs);
    } catch (thrown) {
      if (isUnwanted(thrown)) this.#parts.succeeded();
      else if (!signal.aborted) this.#parts.failed(node.url, thrown);
      return isFinal(thrown) ? this.#jittered(reportIntervalMs) : undefined;
    } finally {
      deadline.close();
    }
  }

  #jittered(ms: number): number {
    const share = 1 + reportJitter * (2 * this.#parts.random() - 1);
    if (ms === 0) return reportIntervalMs * share;
    return Math.min(reportIntervalMsMax, Math.max(reportIntervalMsMin, ms)) * share;
  }
}

/** The node's operator has turned telemetry off: nothing is wrong, and nobody else is told instead. */
function isUnwanted(thrown: unknown): boolean {
  return thrown instanceof ConnectError && thrown.code === Code.PermissionDenied;
}

/** What makes no sense to one node makes none to any, however often it is said. */
function isFinal(thrown: unknown): boolean {
  return (
    isUnwanted(thrown) || (thrown instanceof ConnectError && thrown.code === Code.InvalidArgument)
  );
}
