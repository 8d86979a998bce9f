import type { ReportRequest } from "../../../gen/headwater/v1/apps_pb.ts";

export const healths = ["OK", "DEGRADED", "FAILED"] as const;

/** What is counted of an instance. */
export interface Member {
  readonly instance: string;
  readonly version: string;
  /** An index of `healths`. */
  readonly health: number;
  /** Those last answered on, each once. */
  readonly flags: readonly string[];
  /** It is remembered as having crashed, in whatever way. */
  readonly hasCrashed: boolean;
}

/** Instances of a version by their health, in the order of `healths`. */
type HealthCounts = [number, number, number];

/**
 * How many instances report what. It is counted as they come and go, so that what it costs to read
 * grows with the words, not with the instances.
 */
export class Tally {
  readonly #versions = new Map<string, HealthCounts>();
  readonly #flags = new Map<string, number>();
  readonly #crashed = new Map<string, number>();
  #count = 0;

  /** Members; a panel of few has some of them more than once. */
  get count(): number {
    return this.#count;
  }

  get versions(): ReadonlyMap<string, Readonly<HealthCounts>> {
    return this.#versions;
  }

  /** Instances with a flag last answered on, by its name. */
  get flags(): ReadonlyMap<string, number> {
    return this.#flags;
  }

  /** How often each instance that has crashed is a member. */
  get crashed(): ReadonlyMap<string, number> {
    return this.#crashed;
  }

  add(member: Member): void {
    this.#change(member, 1);
  }

  remove(member: Member): void {
    this.#change(member, -1);
  }

  clone(): Tally {
    const copy = new Tally();
    copy.#count = this.#count;
    for (const [version, counts] of this.#versions) copy.#versions.set(version, [...counts]);
    for (const [flag, n] of this.#flags) copy.#flags.set(flag, n);
    for (const [instance, n] of this.#crashed) copy.#crashed.set(instance, n);
    return copy;
  }

  #change({ instance, version, health, flags, hasCrashed }: Member, by: 1 | -1): void {
    this.#count += by;
    const counts = this.#versions.get(version) ?? [0, 0, 0];
    counts[health] = (counts[health] ?? 0) + by;
    if (counts.every((n) => n === 0)) this.#versions.delete(version);
    else this.#versions.set(version, counts);
    for (const flag of flags) changeCount(this.#flags, flag, by);
    if (hasCrashed) changeCount(this.#crashed, instance, by);
  }
}

/** The same of reports that are at hand, each of another instance or another seat of a panel. */
export function tallyOf(
  reports: Iterable<ReportRequest>,
  hasCrashed: (report: ReportRequest) => boolean = () => false,
): Tally {
  const tally = new Tally();
  for (const report of reports) tally.add(memberOf(report, hasCrashed(report)));
  return tally;
}

export function memberOf(report: ReportRequest, hasCrashed: boolean): Member {
  const { instance, version } = report;
  const health = Math.max(0, (healths as readonly string[]).indexOf(report.health));
  return { instance, version, health, flags: activeFlags(report), hasCrashed };
}

function activeFlags({ flags }: ReportRequest): string[] {
  if (flags.length === 0) return [];
  return [...new Set(flags.flatMap(({ name, active }) => (active ? name : [])))];
}

function changeCount(counts: Map<string, number>, word: string, by: number): void {
  const n = (counts.get(word) ?? 0) + by;
  if (n === 0) counts.delete(word);
  else counts.set(word, n);
}
