import { create, toBinary } from "@bufbuild/protobuf";
import { type ReportRequest, ReportRequestSchema } from "../../gen/headwater/v1/apps_pb.ts";
import { DocumentSchema, type Weights } from "../../gen/headwater/v1/telemetry_pb.ts";
import { dayMs } from "../../relay/cadence.ts";
import type { Project } from "../../relay/layers/project.ts";
import type { Random } from "../../relay/random.ts";
import { Consents } from "../../relay/telemetry/consents.ts";
import type { DisclosureLevel } from "../../relay/telemetry/disclosure/level.ts";
import { Fleet } from "../../relay/telemetry/fleet.ts";
import { Outbox } from "../../relay/telemetry/outbox.ts";
import { Received } from "../../relay/telemetry/received.ts";
import { drawFraction } from "../../relay/trust/key.ts";
import { epochMs } from "../relay/authority.ts";
import { LazyIntake } from "./lazy-intake.ts";
import type { Population, Running } from "./population.ts";

const upstream = "parent";

/** Flags that were last answered on, of an instance. */
export type Answers = (instance: string) => readonly string[];

/** What a parent sees of one site: its weights documents, made by the code that makes them. */
export interface Observed {
  readonly documents: readonly Weights[];
  /** Sizes on the wire. */
  readonly bytes: ReadonlySet<number>;
}

/** Lets a site live for so many days, and hands its documents at each level to a parent. */
export function observe<Level extends DisclosureLevel>(of: {
  project: Project;
  levels: readonly Level[];
  population: Population;
  daysCount: number;
  random: Random;
  answers?: Answers;
  /** Ids that a parent can list let it work out on which of them a flag is on. */
  ids?: "listed";
}): Map<Level, Observed> {
  const { project, levels, population } = of;
  const site = of.answers === undefined || of.ids === "listed" ? "" : `${of.random.uint32()}-`;
  const siteSecret = new Uint8Array(32).map(() => of.random.below(256));
  const intake = new LazyIntake((instance) => drawFraction(siteSecret, instance));
  const seen = levels.map((level) => ({
    level,
    outbox: outboxOf({ level, siteSecret, intake }),
    documents: new Array<Weights>(),
    bytes: new Set<number>(),
  }));
  const reports = new Map<Running, ReportRequest>();
  const reportOnce = (one: Running): ReportRequest => {
    const report =
      reports.get(one) ?? reportOf(one, { site, project: project.name, answers: of.answers });
    if (population.comeAndGo === true) reports.set(one, report);
    return report;
  };
  for (let day = 0; day < of.daysCount; day++) {
    const wallMs = epochMs + (day + 2) * dayMs;
    for (const one of population.changed(day * 24)) intake.take(reportOnce(one), wallMs);
    if (population.comeAndGo === true) intake.expire(wallMs);
    for (const { outbox, documents, bytes } of seen)
      for (const due of outbox.due(upstream, project, wallMs)) {
        due.accept();
        if (due.document.weights === undefined) continue;
        documents.push(due.document.weights);
        bytes.add(toBinary(DocumentSchema, due.document).length);
      }
  }
  return new Map(seen.map((one) => [one.level, one]));
}

/** Instances report each hour; here it is enough that they do when there is something new. */
function outboxOf(of: {
  level: DisclosureLevel;
  siteSecret: Uint8Array;
  intake: LazyIntake;
}): Outbox {
  const consents = new Consents("OFF", new Map());
  consents.choose({ upstream, level: of.level, byCommand: true, wallMs: epochMs })?.accept();
  const received = new Received(new Map());
  const fleet = (project: Project, wallMs: number): Fleet =>
    new Fleet({
      project,
      received,
      wallMs,
      sinceMs: 0,
      tally: of.intake.tally,
      verdictOf: () => "INSUFFICIENT",
      panel: () => of.intake.panel,
    });
  // Health documents are not looked at here.
  const windows = { windowMs: dayMs, healthWindowMs: 30 * dayMs };
  return new Outbox({ ...windows, siteSecret: of.siteSecret, consents, fleet }, new Map());
}

const none = { ...create(ReportRequestSchema) };

/** Flags are worked out when they are looked at: a panel looks at few. */
function reportOf(
  one: Running,
  of: { site: string; project: string; answers: Answers | undefined },
): ReportRequest {
  const { project, answers } = of;
  const { version, failed = false } = one;
  const instance = of.site + one.instance;
  const report = { ...none, project, instance, version, health: failed ? "FAILED" : "OK" };
  return answers === undefined
    ? report
    : Object.defineProperty(report, "flags", {
        get: () => answers(instance).map((name) => ({ name, active: true })),
      });
}
