import { trialMembersMax, trialsCountMax } from "../../limits.ts";
import type { Trial, TrialKind } from "./trial.ts";

/** What a trial is of: there is one at a time. */
interface TrialId {
  readonly project: string;
  readonly kind: TrialKind;
  readonly name: string;
}

/** The trials of all projects, and the room that there is for their instances. */
export class HeldTrials {
  /** By project, then kind and name. */
  readonly #projects = new Map<string, Map<string, Trial>>();
  /** Instances of all trials together. */
  #membersCount = 0;

  get all(): Trial[] {
    return [...this.#projects.values()].flatMap((trials) => [...trials.values()]);
  }

  get(of: TrialId): Trial | undefined {
    return this.#projects.get(of.project)?.get(keyOf(of));
  }

  releases(project: string): Trial[] {
    const trials = this.#projects.get(project)?.values() ?? [];
    return [...trials].filter(({ kind }) => kind === "RELEASE");
  }

  /** Whether one more instance may be remembered. */
  get hasRoom(): boolean {
    return this.#membersCount < trialMembersMax;
  }

  /** Takes the place of a former one of the same; where there is no room, nothing is begun. */
  begin(trial: Trial): void {
    if (this.get(trial) === undefined && this.all.length >= trialsCountMax) return;
    if (this.#membersCount + trial.membersCount < trialMembersMax) this.hold(trial);
  }

  hold(trial: Trial): void {
    this.#membersCount += trial.membersCount - (this.get(trial)?.membersCount ?? 0);
    const trials = this.#projects.get(trial.project) ?? new Map<string, Trial>();
    this.#projects.set(trial.project, trials.set(keyOf(trial), trial));
  }

  /** Whichever is held of the same name. */
  drop(of: TrialId): void {
    this.#membersCount -= this.get(of)?.membersCount ?? 0;
    this.#projects.get(of.project)?.delete(keyOf(of));
  }

  merge(held: Trial, theirs: Trial): void {
    if (this.#membersCount + theirs.membersCount <= trialMembersMax)
      this.changing(held, () => held.merge(theirs));
  }

  /** Whatever changes a trial may change how many instances it remembers. */
  changing<T>(trial: Trial, change: () => T): T {
    const before = trial.membersCount;
    const changed = change();
    this.#membersCount += trial.membersCount - before;
    return changed;
  }
}

/** The key of a trial in the store, and where nodes of a site compare. */
export function trialKey(of: TrialId): string {
  return `${of.project} ${keyOf(of)}`;
}

function keyOf({ kind, name }: Pick<TrialId, "kind" | "name">): string {
  return `${kind} ${name}`;
}
