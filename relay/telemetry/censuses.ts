import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { ReportRequest } from "../../gen/headwater/v1/apps_pb.ts";
import type { Census } from "../../gen/headwater/v1/flag_pb.ts";
import {
  type CensusEnrollment,
  CensusEnrollmentSchema,
  CensusEvidenceSchema,
} from "../../gen/headwater/v1/store_pb.ts";
import {
  type CensusSlot,
  CensusSlotSchema,
  type Document,
} from "../../gen/headwater/v1/telemetry_pb.ts";
import { censusWindowMsMin, minuteMs, secondMs } from "../cadence.ts";
import type { Records } from "../durable.ts";
import type { Write } from "../effect.ts";
import { compareVersions, parseVersion } from "../flag/version.ts";
import type { Project } from "../layers/project.ts";
import { censusesOpenMax } from "../limits.ts";
import {
  type CensusAnswer,
  CensusWatch,
  type Evidence,
  graceMsOf,
  joinChildren,
  windowToAnswer,
} from "./census.ts";
import { CensusChildren, type HeardChild, noWindow, slotAnswer } from "./census-children.ts";
import { budgetProblem, censusEndMs, censusName, windowsOf } from "./census-question.ts";

/** Evidence is made durable this often; of what is lost nobody says that it was watched. */
const writeIntervalMs = minuteMs;

/** What a window has come to at one node. */
export interface CensusFinding {
  readonly answer: CensusAnswer;
  /** What the node's own apps come to; undefined where they take no part. */
  readonly own: CensusAnswer | undefined;
  readonly childrenCount: number;
  readonly answeredCount: number;
  readonly isExpelled: boolean;
}

/** All questions of all projects, as far as this node takes part or others here do. */
export class Censuses {
  readonly windowMsMin: number;
  readonly #enrollments = new Map<string, CensusEnrollment>();
  /** By project and name of the entry. */
  readonly #watches = new Map<string, { watch: CensusWatch; census: Census; project: string }>();
  readonly #held = new Map<string, { windowMs: number; evidence: Evidence }>();
  readonly #children: CensusChildren;
  #writtenMs = Number.NEGATIVE_INFINITY;

  constructor(of: { censusWindowMsMin?: number | undefined }, records: Records) {
    this.windowMsMin = of.censusWindowMsMin ?? censusWindowMsMin;
    this.#children = new CensusChildren(records);
    for (const [project, bytes] of records.get("census-enrollment") ?? [])
      this.#enrollments.set(project, fromBinary(CensusEnrollmentSchema, bytes));
    for (const [key, bytes] of records.get("census-evidence") ?? [])
      this.#held.set(key, heldOf(bytes));
  }

  enrollment(project: string): CensusEnrollment | undefined {
    return this.#enrollments.get(project);
  }

  /** The operator takes part, or no more; evidence of a part that ended is forgotten. */
  enroll(of: { project: string; isEnrolled: boolean; withoutApps: boolean; wallMs: number }): {
    writes: Write[];
    accept: () => void;
  } {
    const { project, withoutApps } = of;
    const sinceMs = this.#enrollments.get(project)?.sinceMs ?? BigInt(Math.floor(of.wallMs));
    const enrollment = create(CensusEnrollmentSchema, { sinceMs, withoutApps });
    const value = of.isEnrolled ? toBinary(CensusEnrollmentSchema, enrollment) : undefined;
    const gone = of.isEnrolled ? [] : this.#keysOf(project);
    return {
      writes: [
        { bucket: "census-enrollment", key: project, value },
        ...gone.map((key): Write => ({ bucket: "census-evidence", key, value: undefined })),
      ],
      accept: () => {
        if (of.isEnrolled) this.#enrollments.set(project, enrollment);
        else this.#enrollments.delete(project);
        for (const key of gone) this.#drop(key);
      },
    };
  }

  /** How often apps have to report at the least, so that none is taken for lost. */
  get reportEveryMs(): number {
    const graces = [...this.#watches.values()].map(({ census }) => graceMsOf(windowsOf(census)));
    return Math.max(secondMs, Math.floor(Math.min(Number.POSITIVE_INFINITY, ...graces) / 2));
  }

  /**
   * A report of an instance.
   * @param knowsUse false for what an application says of a library: it does not know what was used
   */
  hear(project: Project, report: ReportRequest, of: { wallMs: number; knowsUse: boolean }): void {
    for (const { watch, census, project: name } of this.#watches.values()) {
      if (name !== project.name) continue;
      const use = useOf(census, { project, report, ...of });
      if (use === "UNKNOWN") watch.overhear(of.wallMs);
      const { instance, last: isLast } = report;
      watch.hear({ instance, isLast, isUsed: use === "USED", wallMs: of.wallMs });
    }
  }

  /** Whether it would change an answer that somebody of a project is there who does not report. */
  isMoved(project: string, wallMs: number): boolean {
    const own = [...this.#watches.values()].filter(({ project: name }) => name === project);
    return own.some(({ watch }) => !watch.isDoubted(wallMs));
  }

  /** Somebody of a project is there who does not report, or for whom there was no room. */
  overhear(project: string, wallMs: number): void {
    for (const { watch, project: name } of this.#watches.values())
      if (name === project) watch.overhear(wallMs);
  }

  /** For a moment not everything was heard: what nodes of the site tell each other got lost. */
  interrupt(wallMs: number): void {
    for (const { watch } of this.#watches.values()) watch.resume(wallMs);
  }

  /** Time passes: questions come and go, and what is watched is watched for longer. */
  look(projects: ReadonlyMap<string, Project>, wallMs: number): void {
    const wanted = new Map<string, { census: Census; project: string }>();
    for (const project of projects.values())
      if (this.#enrollments.has(project.name))
        for (const census of this.answerable(project, wallMs))
          wanted.set(keyOf(project.name, census), { census, project: project.name });
    for (const [key, { census }] of this.#watches) {
      const now = wanted.get(key);
      if (now?.census.windowMs !== census.windowMs) this.#watches.delete(key);
    }
    for (const [key, { census, project }] of wanted) {
      const watch = this.#watches.get(key)?.watch ?? this.#begin(key, census, wallMs);
      this.#watches.set(key, { watch, census, project });
      watch.watch(wallMs);
    }
  }

  /** What is to be written now and then; evidence on questions that are gone goes too. */
  due(wallMs: number): { writes: Write[]; accept: () => void } {
    if (this.#watches.size + this.#held.size === 0) return { writes: [], accept: () => {} };
    const shortest = Math.min(
      writeIntervalMs,
      ...[...this.#watches.values()].map(({ census }) => graceMsOf(windowsOf(census)) / 4),
    );
    if (Math.abs(wallMs - this.#writtenMs) < shortest) return { writes: [], accept: () => {} };
    const gone = [...this.#held.keys()].filter((key) => !this.#watches.has(key));
    const writes = [...this.#watches].map(([key, { watch, census, project }]): Write => {
      const value = evidenceBytes({ project, census, evidence: watch.evidence });
      return { bucket: "census-evidence", key, value };
    });
    return {
      writes: [
        ...writes,
        ...gone.map((key): Write => ({ bucket: "census-evidence", key, value: undefined })),
      ],
      accept: () => {
        this.#writtenMs = wallMs;
        for (const key of gone) this.#held.delete(key);
      },
    };
  }

  /** What a child's document says to the project's questions. */
  hearChild(child: string, document: Document, wallMs: number): HeardChild {
    return this.#children.hear(child, document, wallMs);
  }

  /** Questions that may be asked, and are not over. */
  answerable({ own }: Pick<Project, "own">, wallMs: number): Census[] {
    const all = [...own.censuses.values()];
    return all.filter((census) => {
      if (wallMs >= censusEndMs(census)) return false;
      return this.problem(census, all, wallMs) === undefined;
    });
  }

  problem(census: Census, all: Iterable<Census>, wallMs: number): string | undefined {
    return budgetProblem(census, all, { wallMs, windowMsMin: this.windowMsMin });
  }

  /** What a window comes to: own apps, where they take part, joined with the children's words. */
  finding(project: string, census: Census, window: number, wallMs: number): CensusFinding {
    const windows = windowsOf(census);
    const own = this.#own(project, census, window);
    const children = this.#children.said({ project, ...windows, window });
    const all =
      own === undefined ? children : [...children, { window, answer: own, heardMs: wallMs }];
    const isOver = window >= 0 && window <= windowToAnswer(windows, wallMs);
    const joined = joinChildren(all, { window, wallMs });
    const isKnown = isOver && !this.#children.isCrowded(project);
    return {
      answer: isKnown ? joined.answer : "UNKNOWN",
      own,
      childrenCount: children.length,
      answeredCount: children.filter((one) => one.window === window).length,
      isExpelled: joined.isExpelled || children.some(({ isExpelled }) => isExpelled),
    };
  }

  /**
   * The places for answers in a document: 8 of them, of one length, whatever there is to say.
   * @param sinceMs of windows that began before it nothing is said
   */
  slots(project: Project, wallMs: number, sinceMs: number): CensusSlot[] {
    const isEnrolled = this.#enrollments.has(project.name);
    const asked = isEnrolled ? this.answerable(project, wallMs) : [];
    return Array.from({ length: censusesOpenMax }, (_, slot) => {
      const census = asked.find((one) => one.slot === slot);
      if (census === undefined)
        return slotOf({ openedMs: 0n, window: noWindow, answer: isEnrolled ? 2 : 0, expelled: 0 });
      const { openedMs } = census;
      const windows = windowsOf(census);
      const window = windowToAnswer(windows, wallMs);
      if (window < 0 || windows.openedMs + window * windows.windowMs < sinceMs)
        return slotOf({ openedMs, window: noWindow, answer: 2, expelled: 0 });
      const { answer, isExpelled } = this.finding(project.name, census, window, wallMs);
      const expelled = isExpelled ? 1 : 0;
      return slotOf({ openedMs, window, answer: slotAnswer(answer), expelled });
    });
  }

  /** A node without apps watches nothing; if one reports all the same, that counts. */
  #own(project: string, census: Census, window: number): CensusAnswer | undefined {
    const enrollment = this.#enrollments.get(project);
    if (enrollment === undefined) return undefined;
    const watch = this.#watches.get(keyOf(project, census))?.watch;
    if (!enrollment.withoutApps) return watch?.answer(window) ?? "UNKNOWN";
    return watch?.seen(window);
  }

  #begin(key: string, census: Census, wallMs: number): CensusWatch {
    const held = this.#held.get(key);
    const isSame = held?.windowMs === Number(census.windowMs);
    return new CensusWatch(windowsOf(census), wallMs, isSame ? held?.evidence : undefined);
  }

  #keysOf(project: string): string[] {
    const keys = new Set([...this.#held.keys(), ...this.#watches.keys()]);
    return [...keys].filter((key) => key.startsWith(`${project} `));
  }

  #drop(key: string): void {
    this.#held.delete(key);
    this.#watches.delete(key);
  }
}

function keyOf(project: string, census: Census): string {
  return `${project} ${censusName(census)}`;
}

function slotOf(of: { openedMs: bigint; window: number; answer: number; expelled: number }) {
  return create(CensusSlotSchema, of);
}

function useOf(
  { kind, name }: Census,
  of: { project: Project; report: ReportRequest; wallMs: number; knowsUse: boolean },
): CensusAnswer {
  const { project, report, wallMs, knowsUse } = of;
  if (kind === "BELOW") {
    const release = project.buildOf(report.version, wallMs).release || report.version;
    const [version, wanted] = [parseVersion(release), parseVersion(name)];
    if (version === undefined || wanted === undefined) return "UNKNOWN";
    return compareVersions(version, wanted) < 0 ? "USED" : "UNUSED";
  }
  if (!knowsUse) return "UNKNOWN";
  const isUsed =
    kind === "FLAG"
      ? report.flags.some((flag) => flag.name === name)
      : report.features.includes(name);
  return isUsed ? "USED" : "UNUSED";
}

function evidenceBytes(of: { project: string; census: Census; evidence: Evidence }): Uint8Array {
  const { project, census, evidence } = of;
  const record = create(CensusEvidenceSchema, {
    project,
    name: censusName(census),
    windowMs: census.windowMs,
    used: [...evidence.used],
    doubted: [...evidence.doubted],
    watched: evidence.watched.map(({ fromMs, toMs }) => ({
      fromMs: BigInt(Math.ceil(fromMs)),
      toMs: BigInt(Math.floor(toMs)),
    })),
  });
  return toBinary(CensusEvidenceSchema, record);
}

function heldOf(bytes: Uint8Array): { windowMs: number; evidence: Evidence } {
  const { windowMs, used, doubted, watched } = fromBinary(CensusEvidenceSchema, bytes);
  const spans = watched.map(({ fromMs, toMs }) => ({ fromMs: Number(fromMs), toMs: Number(toMs) }));
  return { windowMs: Number(windowMs), evidence: { used, doubted, watched: spans } };
}
