import { heartbeatIntervalMs } from "../../../relay/cadence.ts";
import type { Exposure } from "../../../relay/effect.ts";
import { watchersCountMax } from "../../../relay/limits.ts";
import type { NodeAccess } from "../../access.ts";
import { HeadwaterError } from "../../error.ts";
import { messageStream, Wakening } from "../../http/message-stream.ts";
import type { AppsCounts } from "../apps-counts.ts";
import { noteUnreported } from "../unreported.ts";
import { FlagSetGroup } from "./flag-set-group.ts";
import { WakeBatches } from "./wake-batches.ts";

/** One client's place among those that ask for the same. */
interface Membership {
  readonly groups: FlagSetGroup[];
  /** Resolves after something has changed. */
  readonly wakening: Wakening;
  readonly wake: () => void;
  /** Nothing is kept for the client from now on. */
  readonly leave: () => void;
}

/** The streams of flagd's and OFREP's clients, grouped by what they have in common. */
export class FlagSetStreams {
  readonly access: NodeAccess;
  readonly shutdown: AbortSignal;
  readonly #counts: AppsCounts;
  /** By project. */
  readonly #groups = new Map<string, FlagSetGroup>();
  /** Who hears of all projects, and so of those that come later. */
  readonly #ofAll = new Set<Membership>();
  readonly #batches = new WakeBatches();

  constructor(of: { access: NodeAccess; counts: AppsCounts; shutdown: AbortSignal }) {
    this.access = of.access;
    this.shutdown = of.shutdown;
    this.#counts = of.counts;
    this.access.onExpose((exposure) => this.#expose(exposure), of.shutdown);
    const rounds = setInterval(() => this.#noteAll(), heartbeatIntervalMs);
    of.shutdown.addEventListener("abort", () => clearInterval(rounds), { once: true });
  }

  /** Whoever follows whole sets decides by itself, and says nothing of what it uses. */
  #noteAll(): void {
    for (const project of this.#groups.keys()) noteUnreported(this.access, project, "");
  }

  /**
   * Messages for one client until the signal. The signal alone frees what is kept for it: a
   * generator that waits for a client to read may never be asked to return.
   * @throws HeadwaterError `limit` past the bound on streams
   */
  open<T>(of: {
    projects: readonly string[] | "all";
    signal: AbortSignal;
    /** The next message; undefined while nothing is owed. */
    take: (groups: readonly FlagSetGroup[]) => T | undefined;
    /** Lets `take` owe something without a change. */
    onOpen?: (wake: () => void) => () => void;
  }): AsyncIterable<T> {
    const { groups, wakening, leave } = this.#join(of.projects);
    const stop = of.onOpen?.(() => wakening.wake());
    const free = (): void => {
      stop?.();
      leave();
      wakening.wake();
    };
    if (of.signal.aborted) free();
    else of.signal.addEventListener("abort", free, { once: true });
    const take = (): T | undefined => of.take(groups);
    return messageStream({ take, wakening, signal: of.signal, shutdown: this.shutdown });
  }

  #join(projects: readonly string[] | "all"): Membership {
    if (this.#counts.watchersCount >= watchersCountMax)
      throw new HeadwaterError({
        kind: "limit",
        message: `this node has ${watchersCountMax} streams already`,
        hint: "Use another node of the site.",
      });
    this.#counts.watchersCount++;
    const wakening = new Wakening();
    const wake = (): void => wakening.wake();
    const named = projects === "all" ? this.access.reads.projects() : projects;
    const groups = named.map((project) => this.#groupOf(project));
    for (const { members } of groups) members.add(wake);
    this.#noteAll();
    const leave = (): void => {
      this.#counts.watchersCount--;
      this.#ofAll.delete(membership);
      this.#batches.forget(wake);
      for (const group of groups) this.#leave(group, wake);
    };
    const membership = { groups, wakening, wake, leave };
    if (projects === "all") this.#ofAll.add(membership);
    return membership;
  }

  #groupOf(project: string): FlagSetGroup {
    const group = this.#groups.get(project) ?? new FlagSetGroup({ access: this.access, project });
    this.#groups.set(project, group);
    return group;
  }

  #leave(group: FlagSetGroup, wake: () => void): void {
    group.members.delete(wake);
    if (group.members.size === 0) this.#groups.delete(group.project);
  }

  #expose({ project }: Exposure): void {
    if (this.#ofAll.size > 0) this.#showToAll(this.#groupOf(project));
    const group = this.#groups.get(project);
    if (group?.update() === true) this.#batches.wake(group.members);
  }

  #showToAll(group: FlagSetGroup): void {
    const late = [...this.#ofAll].filter(({ wake }) => !group.members.has(wake));
    for (const { groups, wake } of late) {
      groups.push(group);
      group.members.add(wake);
    }
    this.#batches.wake(late.map(({ wake }) => wake));
  }
}
