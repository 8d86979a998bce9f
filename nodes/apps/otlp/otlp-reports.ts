import { setImmediate as turn } from "node:timers/promises";
import type { ReportRequest } from "../../../gen/headwater/v1/apps_pb.ts";
import type { NodeAccess } from "../../access.ts";
import { HeadwaterError } from "../../error.ts";
import type { AppsCounts } from "../apps-counts.ts";
import { appOf, factOf, type OtlpApp, type OtlpFact } from "./otlp-facts.ts";
import { OtlpInstances } from "./otlp-instances.ts";
import type { OtlpBatch, OtlpRecord, Refused } from "./otlp-signal.ts";

/** After so many batches of one request everything else has its turn: a large one has thousands. */
const batchesPerTurn = 100;

const tooMany = "too many instances report at once";

/** Whoever sends batches. */
export interface OtlpSender {
  readonly address: string;
  /** Whether it may make one report more. */
  readonly mayReport: () => boolean;
}

/** Turns batches of OTLP into reports, and counts what no report may hold. */
export class OtlpReports {
  readonly #access: NodeAccess;
  readonly #counts: AppsCounts;
  readonly #instances = new OtlpInstances();

  constructor(of: { access: NodeAccess; counts: AppsCounts }) {
    this.#access = of.access;
    this.#counts = of.counts;
  }

  /** The records that were meant to be of use and are not, with the reason for the first. */
  async take(batches: readonly OtlpBatch[], sender: OtlpSender): Promise<Refused | undefined> {
    const refusals: Refused[] = [];
    for (const [index, batch] of batches.entries()) {
      if (index % batchesPerTurn === batchesPerTurn - 1) await turn();
      refusals.push(...(await this.#takeOne(batch, sender)));
    }
    const [first] = refusals;
    if (first === undefined) return undefined;
    const count = refusals.reduce((total, refusal) => total + refusal.count, 0);
    return { count, message: first.message };
  }

  async #takeOne(
    { resource, records, unreadCount }: OtlpBatch,
    sender: OtlpSender,
  ): Promise<Refused[]> {
    const { facts, problems } = sorted(records);
    const app = appOf(resource);
    const known = "problem" in app ? [] : this.#known(app, facts);
    this.#counts.otlpRecordsDroppedCount += unreadCount + records.length - known.length;
    const problem = "problem" in app ? app.problem : await this.#report(app, known, sender);
    if (problem === undefined) return refused(problems.length, problems[0] ?? "");
    // Who sends nothing that is for this node need not hear that it is not.
    return refused(facts.length + problems.length, problem);
  }

  /** Flags that the project does not have are no flags of it, whoever's they may be. */
  #known({ project }: OtlpApp, facts: readonly OtlpFact[]): OtlpFact[] {
    const { wallMs } = this.#access.now();
    return facts.filter(
      (fact) =>
        fact.kind === "crash" ||
        ((fact.set === "" || fact.set === project) &&
          this.#access.reads.flagByRelease(project, fact.name, wallMs) !== undefined),
    );
  }

  async #report(
    app: OtlpApp,
    facts: readonly OtlpFact[],
    { address, mayReport }: OtlpSender,
  ): Promise<string | undefined> {
    const { wallMs, monoMs } = this.#access.now();
    if (this.#access.reads.standing(app.project, wallMs) === undefined)
      return `service.name: nothing is held of a project ${app.project}`;
    const isKnown = this.#instances.holds(app);
    // What is refused must not push others out.
    if (!isKnown && !mayReport()) return this.#refuse(tooMany);
    const report = this.#instances.take(app, facts, { address, monoMs });
    if (report === undefined) return undefined;
    if (isKnown && !mayReport()) {
      this.#instances.failed(app);
      return this.#refuse(tooMany);
    }
    try {
      const { nextAfterMs } = await this.#send(report);
      this.#instances.answered(app, nextAfterMs);
      return undefined;
    } catch (thrown) {
      this.#instances.failed(app);
      const { kind, message } = HeadwaterError.from(thrown);
      const problem = this.#refuse(message);
      if (kind === "internal") throw thrown;
      return problem;
    }
  }

  #refuse(problem: string): string {
    this.#counts.reportsRefusedCount++;
    return problem;
  }

  async #send(report: ReportRequest): Promise<{ nextAfterMs: number }> {
    const answer = await this.#access.ask<{ nextAfterMs: number }>((call) => ({
      kind: "report",
      call,
      report,
    }));
    this.#counts.reportsCount++;
    return answer;
  }
}

function sorted(records: readonly OtlpRecord[]): { facts: OtlpFact[]; problems: string[] } {
  const found = records.flatMap((record) => factOf(record) ?? []);
  return {
    facts: found.filter((one) => "kind" in one),
    problems: found.flatMap((one) => ("problem" in one ? one.problem : [])),
  };
}

function refused(count: number, message: string): Refused[] {
  return count === 0 ? [] : [{ count, message }];
}
