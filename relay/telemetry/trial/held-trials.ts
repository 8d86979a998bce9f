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
  /** By project and kind, then name. */
  readonly #groups = new Map<string, Map<string, Trial>>();
  #count = 0;
  /** Instances of all trials together. */
  #membersCount = 0;

  get all(): Trial[] {
    return [...this.#groups.values()].flatMap((trials) => [...trials.values()]);
  }

  get(of: TrialId): Trial | undefined {
    return this.#groups.get(groupOf(of))?.get(of.name);
  }

  releases(project: string): Trial[] {
    return [...(this.#groups.get(groupOf({ project, kind: "RELEASE" }))?.values() ?? [])];
  }

  /** Whether one more instance may be remembered. */
  get hasRoom(): boolean {
    return this.#membersCount < trialMembersMax;
  }

  /** Takes the place of a former one of the same; where there is no room, nothing is begun. */
  begin(trial: Trial): void {
    if (this.get(trial) === undefined && this.#count >= trialsCountMax) return;
    if (this.#membersCount + trial.membersCount < trialMembersMax) this.hold(trial);
  }

  hold(trial: Trial): void {
    this.drop(trial);
    this.#count++;
    this.#membersCount += trial.membersCount;
    const group = groupOf(trial);
    const trials = this.#groups.get(group) ?? new Map<string, Trial>();
    this.#groups.set(group, trials.set(trial.name, trial));
  }

  /** Whichever is held of the same name. */
  drop(of: TrialId): void {
    this.#membersCount -= this.get(of)?.membersCount ?? 0;
    if (this.#groups.get(groupOf(of))?.delete(of.name) === true) this.#count--;
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
  return `${groupOf(of)} ${of.name}`;
}

function groupOf({ project, kind }: Pick<TrialId, "project" | "kind">): string {
  return `${project} ${kind}`;
}
