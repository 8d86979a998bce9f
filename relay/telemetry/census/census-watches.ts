import type { ReportRequest } from "../../../gen/headwater/v1/apps_pb.ts";
import type { Census } from "../../../gen/headwater/v1/flag_pb.ts";
import { secondMs } from "../../cadence.ts";
import type { Project } from "../../layers/project.ts";
import { censusName, windowsOf } from "./census-question.ts";
import { useOf } from "./census-use.ts";
import { CensusWatch, type Evidence, type PeerEnd } from "./census-watch.ts";
import { graceMsOf } from "./census-windows.ts";

/** A question, and the project that asks it. */
interface Question {
  readonly census: Census;
  readonly project: string;
}

/** How a report was heard. */
export interface ReportHearing {
  readonly wallMs: number;
  /** False for what an application says of a library: it does not know what was used. */
  readonly knowsUse: boolean;
  /** False where another node of the site has passed it on. */
  readonly isOwn: boolean;
}

interface Watched extends Question {
  readonly watch: CensusWatch;
}

/** The questions that this node watches for, each by itself. */
export class CensusWatches {
  readonly #watches = new Map<string, Watched>();
  /** How often apps have to report at the least, so that none is taken for lost. */
  reportEveryMs: number = Number.POSITIVE_INFINITY;

  get all(): readonly Watched[] {
    return [...this.#watches.values()];
  }

  get keys(): IterableIterator<string> {
    return this.#watches.keys();
  }

  has(key: string): boolean {
    return this.#watches.has(key);
  }

  get(key: string): CensusWatch | undefined {
    return this.#watches.get(key)?.watch;
  }

  delete(key: string): void {
    this.#watches.delete(key);
  }

  /** A report of an instance. */
  hear(project: Project, report: ReportRequest, of: ReportHearing): void {
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
    const own = this.all.filter(({ project: name }) => name === project);
    return own.some(({ watch }) => !watch.isDoubted(wallMs));
  }

  /** Somebody of a project is there who does not report, or for whom there was no room. */
  overhear(project: string, wallMs: number): void {
    for (const { watch, project: name } of this.#watches.values())
      if (name === project) watch.overhear(wallMs);
  }

  /** A node of the site is gone. */
  lose(end: PeerEnd): void {
    for (const { watch } of this.#watches.values()) watch.lose(end);
  }

  /** For a moment not everything was heard. */
  interrupt(wallMs: number): void {
    for (const { watch } of this.#watches.values()) watch.resume(wallMs);
  }

  watch(wallMs: number): void {
    for (const { watch } of this.#watches.values()) watch.watch(wallMs);
  }

  /**
   * These are watched for from now on, and no others.
   * @param heldOf what was kept of a question, whose windows are so long, from before
   */
  keep(
    wanted: readonly Question[],
    wallMs: number,
    heldOf: (key: string, windowMs: bigint) => Evidence | undefined,
  ): void {
    const byKey = new Map(wanted.map((one) => [questionKey(one.project, one.census), one]));
    for (const [key, { census }] of this.#watches)
      if (byKey.get(key)?.census.windowMs !== census.windowMs) this.#watches.delete(key);
    for (const [key, { census, project }] of byKey) {
      const begin = () => new CensusWatch(windowsOf(census), wallMs, heldOf(key, census.windowMs));
      const watch = this.get(key) ?? begin();
      this.#watches.set(key, { watch, census, project });
      watch.watch(wallMs);
    }
    const graces = this.all.map(({ census }) => graceMsOf(windowsOf(census)));
    const shortest = Math.min(Number.POSITIVE_INFINITY, ...graces);
    this.reportEveryMs = Math.max(secondMs, Math.floor(shortest / 2));
  }
}

/** A project's question, wherever something is kept of it. */
export function questionKey(project: string, census: Census): string {
  return `${project} ${censusName(census)}`;
}
