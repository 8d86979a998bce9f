import { create } from "@bufbuild/protobuf";
import type { ReportRequest } from "../../../gen/headwater/v1/apps_pb.ts";
import type { PeerMessage, SiteRecords } from "../../../gen/headwater/v1/fanout_pb.ts";
import type { Census } from "../../../gen/headwater/v1/flag_pb.ts";
import type { CensusEnrollment, CensusEvidence } from "../../../gen/headwater/v1/store_pb.ts";
import {
  type CensusSlot,
  CensusSlotSchema,
  type Document,
} from "../../../gen/headwater/v1/telemetry_pb.ts";
import { censusWindowMsMin, minuteMs, secondMs } from "../../cadence.ts";
import type { Records } from "../../durable.ts";
import type { Write } from "../../effect.ts";
import type { Project } from "../../layers/project.ts";
import { censusesOpenMax } from "../../limits.ts";
import {
  type CensusAnswer,
  CensusWatch,
  graceMsOf,
  joinChildren,
  type PeerEnd,
  type SiteWatch,
  skewMsOf,
  windowToAnswer,
} from "./census.ts";
import { CensusChildren, type HeardChild, noWindow, slotAnswer } from "./census-children.ts";
import { budgetProblem, censusEndMs, censusName, windowsOf } from "./census-question.ts";
import { useOf } from "./census-use.ts";
import { Enrollments, enrollmentWrite } from "./enrollments.ts";
import { PeerHearing } from "./peer-hearing.ts";
import { evidenceRecord, SiteEvidence } from "./site-evidence.ts";

/**
 * Evidence is made durable and told to the site this often, and at once when something was seen; of
 * what is lost nobody says that it was watched.
 */
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

/** Something to be made durable, then accepted. */
interface Change {
  readonly writes: readonly Write[];
  readonly accept: () => void;
}

/** All questions of all projects, as far as this site takes part or others here do. */
export class Censuses {
  readonly windowMsMin: number;
  readonly #node: string;
  readonly #enrollments: Enrollments;
  /** By project and name of the entry. */
  readonly #watches = new Map<string, { watch: CensusWatch; census: Census; project: string }>();
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
  enroll(of: Parameters<Enrollments["say"]>[0]): Change & { readonly said: CensusEnrollment } {
    const said = this.#enrollments.say(of);
    return { said, ...this.#enrollmentChange(said) };
  }

  /** Evidence of a part that ended is forgotten. */
  #enrollmentChange(said: CensusEnrollment): Change {
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
    const graces = [...this.#watches.values()].map(({ census }) => graceMsOf(windowsOf(census)));
    return Math.max(secondMs, Math.floor(Math.min(Number.POSITIVE_INFINITY, ...graces) / 2));
  }

  /**
   * A report of an instance.
   * @param of.knowsUse false for what an application says of a library: it does not know what was used
   * @param of.isOwn false where another node of the site has passed it on
   */
  hear(
    project: Project,
    report: ReportRequest,
    of: { wallMs: number; knowsUse: boolean; isOwn: boolean },
  ): void {
    for (const { watch, census, project: name } of this.#watches.values()) {
      if (name !== project.name) continue;
      const use = useOf(census, { project, report, ...of });
      if (use === "UNKNOWN") watch.overhear(of.wallMs);
      const { instance, last: isLast } = report;
      const { wallMs, isOwn } = of;
      watch.hear({ instance, isLast, isUsed: use === "USED", isOwn, wallMs });
    }
  }

  /** Whether it would change an answer that somebody of a project is there who does not report. */
  wouldDoubt(project: string, wallMs: number): boolean {
    const own = [...this.#watches.values()].filter(({ project: name }) => name === project);
    return own.some(({ watch }) => !watch.isDoubted(wallMs));
  }

  /** Somebody of a project is there who does not report, or for whom there was no room. */
  overhear(project: string, wallMs: number): void {
    for (const { watch, project: name } of this.#watches.values())
      if (name === project) watch.overhear(wallMs);
  }

  /** Another node of the site speaks, of whatever. */
  hearPeer(message: PeerMessage, wallMs: number): void {
    const end = this.#hearing.hear(message, wallMs);
    if (end !== undefined) this.#lose(end);
  }

  #lose(end: PeerEnd): void {
    for (const { watch } of this.#watches.values()) watch.lose(end);
  }

  /** For a moment not everything was heard: what nodes of the site tell each other got lost. */
  interrupt(wallMs: number): void {
    for (const { watch } of this.#watches.values()) watch.resume(wallMs);
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
    for (const end of this.#hearing.gone(this.#present)) this.#lose(end);
    const wanted = new Map<string, { census: Census; project: string }>();
    for (const project of projects.values())
      if (this.enrollment(project.name) !== undefined)
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

  /** What is to be written now and then, and told; evidence on questions that are gone goes too. */
  due(wallMs: number): Change & { readonly told: readonly CensusEvidence[] } {
    const nothing = { writes: [], told: [], accept: () => {} };
    const keys = [...this.#evidence.keys];
    if (this.#watches.size + keys.length === 0) return nothing;
    const watches = [...this.#watches.values()];
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
    for (const { watch } of this.#watches.values()) watch.watch(wallMs);
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
  ): Change {
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
        for (const { accept } of changes) accept();
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
    if (own !== undefined) this.#watches.get(key)?.watch.recall(own);
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
    const others = this.#others(project, census);
    const own = this.#own({ project, census, window, others });
    const children = this.#children.said({ project, ...windows, window });
    const all =
      own === undefined ? children : [...children, { window, answer: own, heardMs: wallMs }];
    const isOver = window >= 0 && window <= windowToAnswer(windows, wallMs);
    const joined = joinChildren(all, { window, wallMs });
    const watch = this.#watches.get(keyOf(project, census))?.watch;
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

  /**
   * The places for answers in a document: 8 of them, of one length, whatever there is to say.
   * Of windows that were over before the site took part nothing is said.
   * @param sinceMs of windows that began before it nothing is said either
   */
  slots(project: Project, wallMs: number, sinceMs: number): CensusSlot[] {
    const enrollment = this.enrollment(project.name);
    const isEnrolled = enrollment !== undefined;
    const asked = isEnrolled ? this.answerable(project, wallMs) : [];
    return Array.from({ length: censusesOpenMax }, (_, slot) => {
      const census = asked.find((one) => one.slot === slot);
      if (census === undefined)
        return slotOf({ openedMs: 0n, window: noWindow, answer: isEnrolled ? 2 : 0, expelled: 0 });
      const { openedMs } = census;
      const windows = windowsOf(census);
      const window = windowToAnswer(windows, wallMs);
      const startMs = windows.openedMs + window * windows.windowMs;
      const isBefore =
        Number(enrollment?.sinceMs ?? 0) > startMs + windows.windowMs + skewMsOf(windows);
      if (window < 0 || startMs < sinceMs || isBefore)
        return slotOf({ openedMs, window: noWindow, answer: 2, expelled: 0 });
      const { answer, isExpelled } = this.finding(project.name, census, window, wallMs);
      const expelled = isExpelled ? 1 : 0;
      return slotOf({ openedMs, window, answer: slotAnswer(answer), expelled });
    });
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
    const watch = this.#watches.get(keyOf(project, census))?.watch;
    if (!enrollment.withoutApps) return watch?.answer(window, others) ?? "UNKNOWN";
    return watch?.seen(window, others);
  }

  #others(project: string, census: Census): SiteWatch[] {
    return this.#evidence.others(keyOf(project, census), census.windowMs, this.#present);
  }

  #begin(key: string, census: Census, wallMs: number): CensusWatch {
    return new CensusWatch(windowsOf(census), wallMs, this.#evidence.own(key, census.windowMs));
  }

  #keysOf(project: string): string[] {
    const keys = new Set([...this.#evidence.keys, ...this.#watches.keys()]);
    return [...keys].filter((key) => key.startsWith(`${project} `));
  }

  #drop(key: string): void {
    this.#evidence.drop(key);
    this.#watches.delete(key);
  }
}

function keyOf(project: string, census: Census): string {
  return `${project} ${censusName(census)}`;
}

function slotOf(of: { openedMs: bigint; window: number; answer: number; expelled: number }) {
  return create(CensusSlotSchema, of);
}
