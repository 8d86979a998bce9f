import type { ReportRequest } from "../../../gen/headwater/v1/apps_pb.ts";
import type { PeerMessage, SiteRecords } from "../../../gen/headwater/v1/fanout_pb.ts";
import type { Census } from "../../../gen/headwater/v1/flag_pb.ts";
import type { CensusEnrollment, CensusEvidence } from "../../../gen/headwater/v1/store_pb.ts";
import type { Document } from "../../../gen/headwater/v1/telemetry_pb.ts";
import { censusWindowMsMin, writeIntervalMs } from "../../cadence.ts";
import type { Records } from "../../durable.ts";
import type { Project } from "../../layers/project.ts";
import type { Pending } from "../../staged.ts";
import { type CensusAnswer, joinChildren } from "./census-answer.ts";
import { CensusChildren } from "./census-children.ts";
import { budgetProblem, censusEndMs, censusName, windowsOf } from "./census-question.ts";
import type { SiteWatch } from "./census-watch.ts";
import { CensusWatches, questionKey, type ReportHearing } from "./census-watches.ts";
import { graceMsOf, windowToAnswer } from "./census-windows.ts";
import { Enrollments, enrollmentWrite } from "./enrollments.ts";
import { PeerHearing } from "./peer-hearing.ts";
import { evidenceRecord, SiteEvidence } from "./site-evidence.ts";

/** What a window has come to at one node. */
export interface CensusFinding {
  readonly answer: CensusAnswer;
  /** What the node's own apps come to; undefined where they take no part. */
  readonly own: CensusAnswer | undefined;
  readonly childrenCount: number;
  readonly answeredCount: number;
  readonly isExpelled: boolean;
}

/** All questions of all projects, as far as this site takes part or others here do. */
export class Censuses {
  readonly windowMsMin: number;
  readonly #node: string;
  readonly #enrollments: Enrollments;
  readonly #watches = new CensusWatches();
  readonly #evidence: SiteEvidence;
  readonly #children: CensusChildren;
  readonly #hearing = new PeerHearing();
  /** The other nodes of the site that live. */
  #present: ReadonlySet<string> = new Set();
  #writtenMs = Number.NEGATIVE_INFINITY;
  #isStopping = false;

  constructor(
    of: { censusWindowMsMin?: number | undefined; name?: string | undefined },
    records: Records,
  ) {
    this.windowMsMin = of.censusWindowMsMin ?? censusWindowMsMin;
    this.#node = of.name ?? "";
    this.#children = new CensusChildren(records);
    this.#enrollments = new Enrollments(records);
    this.#evidence = new SiteEvidence(this.#node, records);
  }

  enrollment(project: string): CensusEnrollment | undefined {
    return this.#enrollments.of(project);
  }

  /** The operator takes part, or no more. */
  enroll(of: Parameters<Enrollments["say"]>[0]): Pending & { readonly said: CensusEnrollment } {
    const said = this.#enrollments.say(of);
    return { said, ...this.#enrollmentChange(said) };
  }

  /** Evidence of a part that ended is forgotten. */
  #enrollmentChange(said: CensusEnrollment): Pending {
    const gone = said.left ? this.#keysOf(said.project) : [];
    return {
      writes: [enrollmentWrite(said), ...gone.flatMap((key) => this.#evidence.removal(key))],
      accept: () => {
        this.#enrollments.accept(said);
        for (const key of gone) this.#drop(key);
      },
    };
  }

  /** How often apps have to report at the least, so that none is taken for lost. */
  get reportEveryMs(): number {
    return this.#watches.reportEveryMs;
  }

  /** A report of an instance. */
  hear(project: Project, report: ReportRequest, of: ReportHearing): void {
    this.#watches.hear(project, report, of);
  }

  /** Whether it would change an answer that somebody of a project is there who does not report. */
  wouldDoubt(project: string, wallMs: number): boolean {
    return this.#watches.wouldDoubt(project, wallMs);
  }

  /** Somebody of a project is there who does not report, or for whom there was no room. */
  overhear(project: string, wallMs: number): void {
    this.#watches.overhear(project, wallMs);
  }

  /** Another node of the site speaks, of whatever. */
  hearPeer(message: PeerMessage, wallMs: number): void {
    const end = this.#hearing.hear(message, wallMs);
    if (end !== undefined) this.#watches.lose(end);
  }

  /** For a moment not everything was heard: what nodes of the site tell each other got lost. */
  interrupt(wallMs: number): void {
    this.#watches.interrupt(wallMs);
  }

  /**
   * Time passes: questions come and go, and what is watched is watched for longer.
   * @param present the other nodes of the site that live
   */
  look(
    projects: ReadonlyMap<string, Project>,
    wallMs: number,
    present: readonly string[] = [],
  ): void {
    this.#present = new Set(present);
    this.#evidence.correct(wallMs);
    for (const end of this.#hearing.gone(this.#present)) this.#watches.lose(end);
    const wanted = [...projects.values()].flatMap((project) =>
      this.enrollment(project.name) === undefined
        ? []
        : this.answerable(project, wallMs).map((census) => ({ census, project: project.name })),
    );
    this.#watches.keep(wanted, wallMs, (key, windowMs) => this.#evidence.own(key, windowMs));
  }

  /** What is to be written now and then, and told; evidence on questions that are gone goes too. */
  due(wallMs: number): Pending & { readonly told: readonly CensusEvidence[] } {
    const nothing = { writes: [], told: [], accept: () => {} };
    const keys = [...this.#evidence.keys];
    const watches = this.#watches.all;
    if (watches.length + keys.length === 0) return nothing;
    const shortest = Math.min(
      writeIntervalMs,
      ...watches.map(({ census }) => graceMsOf(windowsOf(census)) / 4),
    );
    const isUrgent = this.#isStopping || watches.some(({ watch }) => watch.isNews);
    if (!isUrgent && Math.abs(wallMs - this.#writtenMs) < shortest) return nothing;
    const gone = keys.filter((key) => !this.#watches.has(key));
    const told = watches.map(({ watch, census, project }) => {
      const { windowMs } = census;
      const of = { project, name: censusName(census), windowMs, node: this.#node };
      return evidenceRecord(of, { ...watch.evidence, isLast: this.#isStopping });
    });
    return {
      told,
      writes: [
        ...told.map((record) => this.#evidence.write(record)),
        ...gone.flatMap((key) => this.#evidence.removal(key)),
      ],
      accept: () => {
        this.#writtenMs = wallMs;
        for (const record of told) this.#evidence.accept(record);
        for (const { watch } of watches) watch.isNews = false;
        for (const key of gone) this.#evidence.drop(key);
      },
    };
  }

  /** Nothing is heard from now on: what is due next is the last word. */
  stop(wallMs: number): void {
    this.#watches.watch(wallMs);
    this.#isStopping = true;
  }

  /** What the other nodes of the site are to hold too. */
  get shared() {
    return {
      enrollments: this.#enrollments.shared,
      evidence: this.#evidence.shared,
      censusChildren: this.#children.shared,
    };
  }

  /** What another node of the site has said, as far as it is news. */
  heard(
    { enrollments, evidence, censusChildren }: SiteRecords,
    of: { projects: ReadonlyMap<string, Project>; wallMs: number },
  ): Pending {
    const { projects, wallMs } = of;
    const isHeld = ({ project }: { project: string }): boolean => projects.has(project);
    const said = this.#enrollments.heard(enrollments.filter(isHeld), wallMs);
    const changes = said.map((one) => this.#enrollmentChange(one));
    const asked = evidence.filter(
      ({ project, name }) =>
        this.enrollment(project) !== undefined && projects.get(project)?.own.censuses.has(name),
    );
    const seen = this.#evidence.heard(asked, wallMs);
    const children = this.#children.heard(censusChildren.filter(isHeld), wallMs);
    return {
      writes: [
        ...changes.flatMap(({ writes }) => writes),
        ...seen.map((record) => this.#evidence.write(record)),
        ...children.writes,
      ],
      accept: () => {
        for (const record of seen) this.#take(record);
        for (const change of changes) change.accept();
        children.accept();
      },
    };
  }

  /** A node that was restarted gets back what it has told. */
  #take(record: CensusEvidence): void {
    this.#evidence.accept(record);
    if (record.node !== this.#node) return;
    const key = `${record.project} ${record.name}`;
    const own = this.#evidence.own(key, record.windowMs);
    if (own !== undefined) this.#watches.get(key)?.recall(own);
  }

  /** What a child's document says to the project's questions. */
  hearChild(child: string, document: Document, wallMs: number): Pending {
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

  problem(census: Census, all: readonly Census[], wallMs: number): string | undefined {
    return budgetProblem(census, all, { wallMs, windowMsMin: this.windowMsMin });
  }

  /** What a window comes to: own apps, where they take part, joined with the children's words. */
  finding(project: string, census: Census, window: number, wallMs: number): CensusFinding {
    const windows = windowsOf(census);
    const others = this.#others(project, census);
    const own = this.#own({ project, census, window, others });
    const children = this.#children.said({ project, ...windows, window });
    const all =
      own === undefined ? children : [...children, { window, answer: own, heardMs: wallMs }];
    const isOver = window >= 0 && window <= windowToAnswer(windows, wallMs);
    const joined = joinChildren(all, { window, wallMs });
    const watch = this.#watches.get(questionKey(project, census));
    const isLeftOut =
      own !== undefined && others.some((other) => watch?.isLeftOut(other, window) === true);
    return {
      answer: isOver ? joined.answer : "UNKNOWN",
      own,
      childrenCount: children.length,
      answeredCount: children.filter((one) => one.window === window).length,
      isExpelled: joined.isExpelled || isLeftOut || children.some(({ isExpelled }) => isExpelled),
    };
  }

  /** A site without apps watches nothing; if one reports all the same, that counts. */
  #own(of: {
    project: string;
    census: Census;
    window: number;
    others: readonly SiteWatch[];
  }): CensusAnswer | undefined {
    const { project, census, window, others } = of;
    const enrollment = this.enrollment(project);
    if (enrollment === undefined) return undefined;
    const watch = this.#watches.get(questionKey(project, census));
    if (!enrollment.withoutApps) return watch?.answer(window, others) ?? "UNKNOWN";
    return watch?.seen(window, others);
  }

  #others(project: string, census: Census): SiteWatch[] {
    return this.#evidence.others(questionKey(project, census), census.windowMs, this.#present);
  }

  #keysOf(project: string): string[] {
    const keys = new Set([...this.#evidence.keys, ...this.#watches.keys]);
    return [...keys].filter((key) => key.startsWith(`${project} `));
  }

  #drop(key: string): void {
    this.#evidence.drop(key);
    this.#watches.delete(key);
  }
}
