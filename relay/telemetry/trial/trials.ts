import type { ReportRequest } from "../../../gen/headwater/v1/apps_pb.ts";
import type { Trial as TrialRecord } from "../../../gen/headwater/v1/store_pb.ts";
import { writeIntervalMs } from "../../cadence.ts";
import type { Records } from "../../durable.ts";
import type { Write } from "../../effect.ts";
import { BASIS_POINTS_MAX } from "../../flag/bucket.ts";
import { compareVersions, parseVersion } from "../../flag/version.ts";
import type { Project } from "../../layers/project.ts";
import { type Stamp, stampOf } from "../../site/slices.ts";
import type { Pending } from "../../staged.ts";
import { bytesEqual, deriveSecret, sha256 } from "../../trust/key.ts";
import { HeldTrials, trialKey } from "./held-trials.ts";
import { isNearer, nearestBelow } from "./release-order.ts";
import { Trial, type TrialKind } from "./trial.ts";
import { trialProblem } from "./trial-problem.ts";
import type { VerdictWord } from "./verdict.ts";

/** A verdict that a look has brought, where there was another before. */
export interface TrialNews {
  readonly project: string;
  readonly kind: TrialKind;
  readonly name: string;
  readonly against: string;
  readonly verdict: VerdictWord;
}

/** All releases and flags that are judged at this site, or were. */
export class Trials {
  readonly #windowMs: number;
  /** Instance ids are kept as a hash, which means nothing outside this site. */
  readonly #salt: Uint8Array;
  readonly #held = new HeldTrials();
  #writtenMs = Number.NEGATIVE_INFINITY;
  /** Verdicts that came from other nodes of the site. */
  #heardNews: TrialNews[] = [];

  constructor(of: { siteSecret: Uint8Array; healthWindowMs: number }, records: Records) {
    this.#windowMs = of.healthWindowMs;
    this.#salt = deriveSecret({ secret: of.siteSecret, purpose: "instances of trials" });
    for (const bytes of records.get("trial")?.values() ?? [])
      this.#held.hold(Trial.restored(bytes));
  }

  /**
   * An upgrade that failed counts as a failed instance of the release that it was to; one that was
   * rolled back, of the release that was left.
   */
  take(
    project: Project,
    report: ReportRequest,
    wallMs: number,
    id: string = report.instance,
  ): void {
    const { release } = project.buildOf(report.version, wallMs);
    if (release === "") return;
    const health = report.upgrade?.outcome === "FAILED" ? "FAILED" : report.health;
    const instance = this.#instanceOf(project.name, id);
    this.#takeRelease({ project, release, instance, health, wallMs });
    const left = project.buildOf(leftBehind(report), wallMs).release;
    if (left !== "" && left !== release)
      this.#takeRelease({ project, release: left, instance, health: "FAILED", wallMs });
    // Only builds among which the layers draw lots are compared: on all others a flag is on or off
    // for a reason, such as their version.
    const flags = project.table(release, wallMs)?.flags;
    for (const { name, active } of report.flags) {
      const basisPoints = flags?.get(name)?.basisPoints ?? 0;
      if (basisPoints > 0 && basisPoints < BASIS_POINTS_MAX)
        this.#takeFlag({ project, name, active, instance, health, wallMs });
    }
  }

  /** The verdict on a release or flag, of a trial that began at `sinceMs` or later. */
  verdict(of: { project: string; kind: TrialKind; name: string; sinceMs: number }): VerdictWord {
    const trial = this.#held.get(of);
    return trial === undefined || trial.startedMs < of.sinceMs ? "INSUFFICIENT" : trial.verdict;
  }

  /** Whether something has been compared with another for at least one look, enough of it or not. */
  isWatched(of: { project: string; kind: TrialKind; name: string; sinceMs: number }): boolean {
    const trial = this.#held.get(of);
    if (trial === undefined || trial.startedMs < of.sinceMs) return false;
    return trial.looksCount > 0 && (trial.kind === "FLAG" || trial.against !== "");
  }

  /** Ends trials of flags whose terms have changed, so that the same terms later are another trial. */
  close(projects: ReadonlyMap<string, Project>, wallMs: number): void {
    for (const trial of this.#held.all) {
      if (trial.kind !== "FLAG" || trial.isClosed) continue;
      const terms = projects.get(trial.project)?.termsOf(trial.name, wallMs);
      if (terms !== undefined && !bytesEqual(terms, trial.terms))
        this.#held.changing(trial, () => trial.close());
    }
  }

  /** What the other nodes of the site are to count too. */
  get shared(): { trial: Trial; stamp: Stamp }[] {
    return this.#held.all.map((trial) => {
      const stamp = stampOf(trialKey(trial), trial.version);
      return { trial, stamp };
    });
  }

  /** What another node of the site has counted, of what the projects' ledgers name. */
  heard(records: readonly TrialRecord[], of: { isNamed: IsNamed; wallMs: number }): void {
    for (const record of records) {
      if (trialProblem(record, of.wallMs) !== undefined) continue;
      const theirs = Trial.of(record);
      if (!of.isNamed(theirs)) continue;
      const held = this.#held.get(theirs);
      const before = held?.verdict ?? "INSUFFICIENT";
      if (held === undefined || theirs.isAfter(held, this.#windowMs)) this.#held.begin(theirs);
      else if (!held.isAfter(theirs, this.#windowMs)) this.#merge(held, theirs);
      const { project, kind, name, against, verdict } = this.#held.get(theirs) ?? theirs;
      if (verdict !== before) this.#heardNews.push({ project, kind, name, against, verdict });
    }
  }

  /** One that was looked at alone has no verdict to lose; of others what they compare with stays. */
  #merge(held: Trial, theirs: Trial): void {
    const isSettled = held.looksCount > 0 && held.against !== "";
    if (held.kind === "RELEASE" && !isSettled && isNearer(theirs.against, held.against))
      this.#held.changing(held, () => held.compareWith(theirs.against));
    this.#held.merge(held, theirs);
  }

  /** Takes the looks that are due; what is news of them, and of what others have told. */
  look(wallMs: number): TrialNews[] {
    const heard = this.#heardNews.splice(0);
    return [...heard, ...this.#looked(wallMs)];
  }

  #looked(wallMs: number): TrialNews[] {
    return this.#held.all.flatMap((trial) => {
      const due = trial.isOver ? 0 : trial.looksDue(wallMs, this.#windowMs);
      if (due <= trial.looksCount) return [];
      const { project, kind, name, against, verdict: before } = trial;
      const control = this.#held.get({ project, kind, name: against })?.lookAt(due - 1);
      const controls = control === undefined ? [] : [control];
      const verdict = this.#held.changing(trial, () => trial.look(due, controls));
      return verdict === before ? [] : [{ project, kind, name, against, verdict }];
    });
  }

  /** What is to be written now and then, and at once when there is news; what is not named goes. */
  due(of: { projects: ReadonlyMap<string, Project>; isUrgent: boolean; wallMs: number }): Pending {
    const intervalMs = Math.min(writeIntervalMs, this.#windowMs);
    if (!of.isUrgent && Math.abs(of.wallMs - this.#writtenMs) < intervalMs)
      return { writes: [], accept: () => {} };
    const changed = this.#held.all.filter((trial) => trial.isChanged);
    const isNamed = namedBy(of.projects);
    const gone = this.#held.all.filter((trial) => !isNamed(trial));
    const write = (trial: Trial, value: Uint8Array | undefined): Write => ({
      bucket: "trial",
      key: trialKey(trial),
      value,
    });
    return {
      writes: [
        ...changed
          .filter((trial) => !gone.includes(trial))
          .map((trial) => write(trial, trial.toBytes())),
        ...gone.map((trial) => write(trial, undefined)),
      ],
      accept: () => {
        this.#writtenMs = of.wallMs;
        for (const trial of changed) trial.isChanged = false;
        for (const trial of gone) this.#held.drop(trial);
      },
    };
  }

  #takeRelease(of: {
    project: Project;
    release: string;
    instance: number;
    health: string;
    wallMs: number;
  }): void {
    const { project, release, wallMs } = of;
    const own = this.#held.get({ project: project.name, kind: "RELEASE", name: release });
    if (!isUnderWay(own)) this.#beginRelease(project.name, release, wallMs);
    for (const trial of this.#held.releases(project.name)) {
      const interval = this.#intervalOf(trial, wallMs);
      if (trial.name === release) this.#count(trial, { ...of, arm: "subject", interval });
      if (trial.against === release) this.#count(trial, { ...of, arm: "control", interval });
    }
  }

  #beginRelease(project: string, name: string, startedMs: number): void {
    if (parseVersion(name) === undefined) return;
    const known = this.#held.releases(project);
    const names = known.map((trial) => trial.name);
    const against = nearestBelow(name, names);
    this.#held.begin(Trial.begin({ project, kind: "RELEASE", name, against, startedMs }));
    for (const trial of known) {
      const nearest = nearestBelow(trial.name, [trial.against, name]);
      if (trial.looksCount === 0 && nearest === name)
        this.#held.changing(trial, () => trial.compareWith(name));
    }
  }

  #takeFlag(of: {
    project: Project;
    name: string;
    active: boolean;
    instance: number;
    health: string;
    wallMs: number;
  }): void {
    const { project, name, active, wallMs } = of;
    const id = { project: project.name, kind: "FLAG", name } as const;
    const terms = project.termsOf(name, wallMs);
    const isSame = (one: Trial | undefined): boolean =>
      one !== undefined && bytesEqual(one.terms, terms);
    const held = this.#held.get(id);
    if (active && !(isUnderWay(held) && isSame(held)))
      this.#held.begin(Trial.begin({ ...id, terms, startedMs: wallMs }));
    const trial = this.#held.get(id);
    if (trial === undefined || !isSame(trial)) return;
    const interval = this.#intervalOf(trial, wallMs);
    this.#count(trial, { ...of, arm: active ? "subject" : "control", interval });
  }

  #count(trial: Trial, of: Omit<Parameters<Trial["take"]>[0], "hasRoom">): void {
    const { hasRoom } = this.#held;
    this.#held.changing(trial, () => trial.take({ ...of, hasRoom }));
  }

  /** Apps are asked to report twice a window. */
  #intervalOf(trial: Trial, wallMs: number): number {
    return Math.max(0, Math.floor((2 * (wallMs - trial.startedMs)) / this.#windowMs));
  }

  #instanceOf(project: string, instance: string): number {
    const text = new TextEncoder().encode(`${project} ${instance}`);
    return Buffer.from(sha256(this.#salt, text)).readUIntBE(0, 6);
  }
}

/** The version that an instance has gone back from; empty for none. */
function leftBehind({ version, upgrade }: ReportRequest): string {
  if (upgrade === undefined) return "";
  const [former, present] = [parseVersion(upgrade.from), parseVersion(version)];
  if (former === undefined || present === undefined) return "";
  return compareVersions(former, present) > 0 ? upgrade.from : "";
}

type IsNamed = (trial: Pick<Trial, "project" | "kind" | "name">) => boolean;

/** Whether a project's ledger has the flag or the release. */
export function namedBy(projects: ReadonlyMap<string, Project>): IsNamed {
  return ({ project, kind, name }) => {
    const own = projects.get(project)?.own;
    return (kind === "FLAG" ? own?.flags : own?.releases)?.has(name) ?? false;
  };
}

/** One that ended without a verdict, for want of instances, is begun again. */
function isUnderWay(trial: Trial | undefined): boolean {
  if (trial === undefined || trial.isClosed) return false;
  const isComparison = trial.kind === "FLAG" || trial.against !== "";
  return !(trial.isOver && trial.verdict === "INSUFFICIENT" && isComparison);
}
