import type { TokenRecord } from "../../gen/headwater/v1/store_pb.ts";
import type { Happening, NodeAccess, NodeReads } from "../../nodes/access.ts";
import type { Exposure } from "../../relay/effect.ts";
import type { Moment } from "../../relay/event.ts";
import type { EffectiveFlag } from "../../relay/flag/effective-flag.ts";
import type { FlagByRelease } from "../../relay/flag/flag-by-release.ts";
import { FlagTable, type FlagTableChange } from "../../relay/layers/flag-table.ts";

type Listed = Parameters<NodeAccess["list"]>[0];

/**
 * A node for tests of its adapters: projects with the flag tables that a test gives them. What is
 * told and asked is kept; questions are answered by `answers`.
 */
export class FakeAccess implements NodeAccess {
  readonly told: Happening[] = [];
  readonly asked: Happening[] = [];
  readonly listed: Listed[] = [];
  /** What each kind of question is answered with; a function may throw instead. */
  readonly answers: Map<Happening["kind"], (happening: Happening) => unknown> = new Map();
  records: readonly Uint8Array[] = [];
  tokens: readonly TokenRecord[] = [];
  wallMs = 1_750_000_000_000;
  monoMs = 0;
  ailment: string | undefined = undefined;
  /** By project; tables by release, of which the empty one is that of unknown builds. */
  readonly projects: Map<string, FakeProject> = new Map();
  readonly #listeners = new Set<(exposure: Exposure) => void>();
  readonly reads: NodeReads;
  /** Whether it is news to a census that somebody asks; and of whom that was asked. */
  isCensusOpen = false;
  readonly askedOf: string[] = [];
  /** How often whole sets were asked for. */
  readonly readsCount = { flagSet: 0 };

  /** `reads` are those that a test wants otherwise. */
  constructor(reads: Partial<NodeReads> = {}) {
    this.reads = { ...this.#ownReads(), ...reads } as NodeReads;
  }

  now(): Moment {
    return { wallMs: this.wallMs, monoMs: this.monoMs };
  }

  tell(happening: Happening): void {
    this.told.push(happening);
  }

  async ask<T>(happening: (call: number) => Happening): Promise<T> {
    const asked = happening(this.asked.length);
    this.asked.push(asked);
    const answer = this.answers.get(asked.kind);
    if (answer === undefined) throw new Error(`the test has no answer for ${asked.kind}`);
    return answer(asked) as T;
  }

  onExpose(listener: (exposure: Exposure) => void, signal: AbortSignal): void {
    this.#listeners.add(listener);
    signal.addEventListener("abort", () => this.#listeners.delete(listener));
  }

  list(of: Listed): readonly Uint8Array[] {
    this.listed.push(of);
    return this.records.slice(0, of.limit);
  }

  project(name: string, of: Partial<FakeProject> = {}): FakeProject {
    const project = {
      freshness: "FRESH",
      sequence: 1,
      releases: [],
      tables: new Map(),
      ...of,
    } as FakeProject;
    this.projects.set(name, project);
    return project;
  }

  /** Sets a flag in the table of a release and exposes the change. */
  set(project: string, release: string, flag: EffectiveFlag): void {
    this.change(project, release, new Map([[flag.name, flag]]));
  }

  /** Changes flags, undefined for those that go, and exposes that in one change. */
  change(
    project: string,
    release: string,
    flags: ReadonlyMap<string, EffectiveFlag | undefined>,
  ): void {
    const held = this.projects.get(project);
    const change = held?.tables.get(release)?.update(flags);
    if (held !== undefined) held.sequence++;
    this.expose(project, change === undefined ? [] : [change]);
  }

  expose(project: string, changes: readonly FlagTableChange[] = [], vocabulary = false): void {
    for (const listener of this.#listeners) listener({ project, changes, vocabulary });
  }

  /** The kinds of what was told, in order. */
  get toldKinds(): string[] {
    return this.told.map(({ kind }) => kind);
  }

  #standing(project: string): ReturnType<NodeReads["standing"]> {
    const held = this.projects.get(project);
    if (held === undefined || held.freshness === "EMPTY") return undefined;
    const { freshness, sequence } = held;
    return { project, sequence, freshness, state: `1.${sequence} ${freshness}` };
  }

  /** A release without a table of its own is like unknown builds. */
  #byRelease(project: string): FlagByRelease[] {
    const tables = this.projects.get(project)?.tables ?? new Map<string, FlagTable>();
    const releases = [...tables].filter(([release]) => release !== "");
    return [...(tables.get("")?.flags ?? [])].map(([name, unknown]) => ({
      name,
      unknown,
      releases: releases.map(([release, { flags }]) => ({
        flag: flags.get(name) ?? unknown,
        versions: new Set([release]),
      })),
    }));
  }

  #ownReads(): Partial<NodeReads> {
    return {
      projects: () => [...this.projects.keys()],
      pins: () => [],
      tokens: () => this.tokens,
      freshness: (project) => this.projects.get(project)?.freshness ?? "EMPTY",
      progress: (project) => BigInt(this.projects.get(project)?.sequence ?? 0),
      releaseOf: (project, version) =>
        this.projects.get(project)?.releases.includes(version) === true ? version : "",
      table: (project, version) => {
        const held = this.projects.get(project);
        if (held === undefined || held.freshness === "EMPTY") return undefined;
        const release = held.releases.includes(version) ? version : "";
        const table = held.tables.get(release) ?? new FlagTable(release, []);
        held.tables.set(release, table);
        return table;
      },
      standing: (project) => this.#standing(project),
      flagSet: (project) => {
        this.readsCount.flagSet++;
        const standing = this.#standing(project);
        return standing && { ...standing, flags: this.#byRelease(project) };
      },
      flagByRelease: (project, flag) =>
        this.#standing(project) && this.#byRelease(project).find(({ name }) => name === flag),
      isUnreported: (project, instance) => {
        this.askedOf.push(`${project}/${instance}`);
        return this.isCensusOpen;
      },
      flags: (project) => [...(this.projects.get(project)?.tables.get("")?.flags.keys() ?? [])],
      flagText: (project, flag) => {
        const held = this.projects.get(project)?.tables.get("")?.flags.get(flag);
        return held === undefined ? "" : `${held.basisPoints / 100} %`;
      },
    };
  }
}

export interface FakeProject {
  freshness: "FRESH" | "STALE" | "EXPIRED" | "EMPTY";
  sequence: number;
  releases: string[];
  readonly tables: Map<string, FlagTable>;
}

/** A flag at a percentage. */
export function flagAt(name: string, basisPoints: number): EffectiveFlag {
  return { name, basisPoints, hash: 2, reason: basisPoints === 0 ? "OFF" : "ROLLOUT" };
}
