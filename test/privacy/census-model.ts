import { create, toBinary } from "@bufbuild/protobuf";
import { ReportRequestSchema } from "../../gen/headwater/v1/apps_pb.ts";
import { type Census, CensusSchema } from "../../gen/headwater/v1/flag_pb.ts";
import { DocumentSchema } from "../../gen/headwater/v1/telemetry_pb.ts";
import { dayMs, reportIntervalMs } from "../../relay/cadence.ts";
import { groupRecords, type StoredRecord } from "../../relay/durable.ts";
import type { Write } from "../../relay/effect.ts";
import type { Project } from "../../relay/layers/project.ts";
import type { Random } from "../../relay/random.ts";
import {
  type CensusAnswer,
  type CensusWindows,
  censusSkewMs,
  windowToAnswer,
} from "../../relay/telemetry/census.ts";
import { censusName } from "../../relay/telemetry/census-question.ts";
import { Censuses } from "../../relay/telemetry/censuses.ts";

/** A short window; everything else goes at its real pace. */
const windows: CensusWindows = { openedMs: 1_000 * dayMs, windowMs: 2 * dayMs };

const census: Census = create(CensusSchema, {
  kind: "FEATURE",
  name: "old-api",
  openedMs: BigInt(windows.openedMs),
  windowMs: BigInt(windows.windowMs),
});

const censuses = new Map([[censusName(census), census]]);

/** As much of a project as a census asks for. */
const project = { name: "horizon", own: { censuses } } as unknown as Project;

const projects = new Map([[project.name, project]]);

/** What happened, and what was answered, for each window that a parent had an answer for. */
export interface CensusRun {
  readonly answers: readonly { readonly isUsed: boolean; readonly answer: CensusAnswer }[];
}

/** The census of a node, and a disk that it is restarted from. */
class Hop {
  readonly #disk = new Map<string, StoredRecord>();
  #looksCount = 0;
  census: Censuses = this.#made();

  enroll(wallMs: number): void {
    const of = { project: project.name, isEnrolled: true, withoutApps: false, wallMs };
    this.keep(this.census.enroll(of));
  }

  /** What the last write did not hold is lost. */
  restart(): void {
    this.census = this.#made();
  }

  look(wallMs: number): void {
    this.census.look(projects, wallMs);
    if (this.#looksCount++ % 8 === 0) this.keep(this.census.due(wallMs));
  }

  keep({ writes, accept }: { writes: readonly Write[]; accept: () => void }): void {
    for (const { bucket, key, value } of writes)
      if (value === undefined) this.#disk.delete(`${bucket} ${key}`);
      else this.#disk.set(`${bucket} ${key}`, { bucket, key, value });
    accept();
  }

  #made(): Censuses {
    return new Censuses({ censusWindowMsMin: dayMs }, groupRecords(this.#disk.values()));
  }
}

/**
 * Some sites, each with instances that come and go, lose reports, crash without a word and use the
 * feature or not, nodes that restart, and clocks that are apart, below a parent that gets a document
 * a day, or does not. All of them are the core's own. Truth is by the real time of use.
 */
export function censusRun(random: Random): CensusRun {
  const used = new Set<number>();
  const parent = new Hop();
  const untilMs = windows.openedMs + 3.2 * windows.windowMs;
  const sitesCount = 1 + random.below(3);
  for (let n = 0; n < sitesCount; n++) siteRun(random, { used, parent, name: `site-${n}` });
  if (random.fraction() < 0.3) parent.restart();
  const last = windowToAnswer(windows, untilMs);
  const answers = Array.from({ length: last + 1 }, (_, window) => {
    const { answer } = parent.census.finding(project.name, census, window, untilMs);
    return { isUsed: used.has(window), answer };
  });
  return { answers };
}

function siteRun(random: Random, of: { used: Set<number>; parent: Hop; name: string }): void {
  const { used, parent, name } = of;
  const skewMs = (2 * random.fraction() - 1) * (censusSkewMs / 2);
  const clock = (realMs: number): number => realMs + skewMs;
  // Most were there before it was asked for, some joined in the middle.
  const isEarly = random.fraction() < 0.8;
  const enrolledMs =
    windows.openedMs + (isEarly ? -dayMs / 4 : random.fraction() * windows.windowMs);
  const hop = new Hop();
  hop.enroll(clock(enrolledMs));
  const [lossShare, crashShare, useShare] = [0.03, 0.02, 0.05].map((most) =>
    random.fraction() < 0.5 ? 0 : most * random.fraction(),
  ) as [number, number, number];
  const restartShare = random.fraction() < 0.7 ? 0 : 0.01;
  const instances = new Map<string, { isUsed: boolean; nextMs: number }>();
  const endMs = windows.openedMs + 3.2 * windows.windowMs;
  let born = 0;
  let awayUntilMs = 0;
  let documentMs = enrolledMs;
  for (let realMs = enrolledMs; realMs < endMs; realMs += reportIntervalMs / 4) {
    const isAway = realMs < awayUntilMs;
    if (!isAway && awayUntilMs > 0) {
      hop.restart();
      awayUntilMs = 0;
    }
    if (!isAway) hop.look(clock(realMs));
    if (!isAway && realMs >= documentMs) {
      documentMs = realMs + dayMs / 4;
      // A document may be lost: then the parent has the one before.
      if (random.fraction() >= 0.05) send(hop, { parent, name, wallMs: clock(realMs) });
    }
    if (!isAway && random.fraction() < restartShare)
      awayUntilMs = realMs + random.fraction() * 3 * reportIntervalMs;
    if (instances.size < 3 && random.fraction() < 0.1)
      instances.set(`i-${born++}`, { isUsed: false, nextMs: realMs });
    for (const [instance, state] of instances) {
      if (random.fraction() < useShare) {
        state.isUsed = true;
        used.add(Math.floor((realMs - windows.openedMs) / windows.windowMs));
      }
      const isEnding = random.fraction() < 0.02;
      const hasCrashed = random.fraction() < crashShare;
      if (realMs >= state.nextMs || isEnding) {
        const isHeard = !isAway && !hasCrashed && random.fraction() >= lossShare;
        if (isHeard) report(hop, { instance, ...state, last: isEnding, wallMs: clock(realMs) });
        state.nextMs = realMs + reportIntervalMs * (isHeard ? 1 : 0.25);
        if (isEnding) instances.delete(instance);
      }
      if (hasCrashed) instances.delete(instance);
    }
  }
}

function report(
  { census: heard }: Hop,
  of: { instance: string; isUsed: boolean; last: boolean; wallMs: number },
): void {
  const { instance, last, wallMs } = of;
  const features = of.isUsed ? [census.name] : [];
  const said = create(ReportRequestSchema, { project: project.name, instance, last, features });
  heard.hear(project, said, { wallMs, knowsUse: true, isOwn: true });
}

function send(hop: Hop, of: { parent: Hop; name: string; wallMs: number }): void {
  const { parent, name, wallMs } = of;
  const document = create(DocumentSchema, {
    project: project.name,
    kind: "WEIGHTS",
    census: hop.census.slots(project, wallMs, 0),
  });
  if (toBinary(DocumentSchema, document).length !== documentBytes)
    throw new Error("a document of another size");
  parent.keep(parent.census.hearChild(name, document, wallMs));
}

const documentBytes = toBinary(
  DocumentSchema,
  create(DocumentSchema, {
    project: project.name,
    kind: "WEIGHTS",
    census: new Hop().census.slots(project, windows.openedMs, 0),
  }),
).length;
