import type { WatchResponse } from "../../gen/headwater/v1/apps_pb.ts";
import { heartbeatIntervalMs } from "../../relay/cadence.ts";
import type { Exposure } from "../../relay/effect.ts";
import { versionLengthMax, watchersCountMax } from "../../relay/limits.ts";
import type { NodeAccess } from "../access.ts";
import { HeadwaterError } from "../error.ts";
import { messageStream, Wakening } from "../http/message-stream.ts";
import type { AppsCounts } from "./apps-counts.ts";
import { checkLength, checkName } from "./request-field.ts";
import { noteUnreported } from "./unreported.ts";
import { WatchBatches } from "./watch-batches.ts";
import { type Onlooker, WatchGroup } from "./watch-group.ts";
import { roundsPerHeartbeat, Watcher } from "./watcher.ts";

export interface WatchOptions {
  readonly access: NodeAccess;
  readonly counts: AppsCounts;
  /** Ends all streams with an error that asks the apps to come again. */
  readonly shutdown: AbortSignal;
  /** The longest silence of a stream; tests shorten it. */
  readonly heartbeatMs?: number | undefined;
}

export interface WatchTarget {
  readonly project: string;
  readonly version: string;
  /** Of the table that the app has; empty when it has none. */
  readonly position: Uint8Array;
  /** How far that table has come. */
  readonly progress: bigint;
  /** Whether the app says that it reports too. */
  readonly reports: boolean;
}

/** @throws HeadwaterError `invalid` that names the field */
export function checkWatchTarget({ project, version }: WatchTarget): void {
  checkName("project", project);
  checkLength("version", version, { max: versionLengthMax });
}

/** The streams of effective flags to apps, grouped by what they have in common. */
export class WatchStreams {
  readonly #access: NodeAccess;
  readonly #counts: AppsCounts;
  readonly #shutdown: AbortSignal;
  readonly #watchers = new Set<Watcher>();
  /** By project, then release. */
  readonly #groups = new Map<string, Map<string, WatchGroup<Watcher>>>();
  readonly #batches = new WatchBatches();

  constructor(options: WatchOptions) {
    this.#access = options.access;
    this.#counts = options.counts;
    this.#shutdown = options.shutdown;
    const heartbeatMs = options.heartbeatMs ?? heartbeatIntervalMs;
    const rounds = setInterval(() => this.#goRound(), heartbeatMs / roundsPerHeartbeat);
    options.shutdown.addEventListener("abort", () => clearInterval(rounds), { once: true });
    this.#access.onExpose((exposure) => this.#expose(exposure), options.shutdown);
  }

  /**
   * Frames for one app, the first at once, until the signal. The signal alone frees the watcher: a
   * generator that waits for a client to read may never be asked to return.
   * @throws HeadwaterError `limit` past the bound on streams
   */
  open(target: WatchTarget, signal: AbortSignal): AsyncIterable<WatchResponse> {
    const wakening = new Wakening();
    const watcher = this.enter(target, { see: () => wakening.wake() });
    const free = (): void => {
      this.leave(watcher);
      wakening.wake();
    };
    if (signal.aborted) free();
    else signal.addEventListener("abort", free, { once: true });
    const take = (): WatchResponse | undefined => watcher.take();
    return messageStream({ take, wakening, signal, shutdown: this.#shutdown });
  }

  /**
   * One more of those who watch, until it leaves. It is owed a frame at once; the sink is told
   * whenever there may be another.
   * @throws HeadwaterError `limit` past the bound on streams
   */
  enter(target: WatchTarget, sink: Onlooker): Watcher {
    if (this.#counts.watchersCount >= watchersCountMax) {
      throw new HeadwaterError({
        kind: "limit",
        message: `this node has ${watchersCountMax} watch streams already`,
        hint: "Use another node of the site.",
      });
    }
    return this.#add(target, sink);
  }

  /** Idempotent. */
  leave(watcher: Watcher): void {
    if (!this.#watchers.delete(watcher)) return;
    const { version, group } = watcher;
    const { project } = group;
    this.#counts.watchersCount--;
    this.#batches.forget(watcher);
    this.#leaveGroup(watcher);
    this.#access.tell({ kind: "watch-closed", project, version });
  }

  /** One timer for all. */
  #goRound(): void {
    for (const watcher of this.#watchers) {
      watcher.passRound();
      this.#note(watcher);
    }
    for (const groups of this.#groups.values()) this.#batches.show(groups.values());
  }

  #note({ reports, group }: Watcher): void {
    if (!reports) noteUnreported(this.#access, group.project, "");
  }

  #add(target: WatchTarget, sink: Onlooker): Watcher {
    const { project, version, position, progress, reports } = target;
    this.#counts.watchersCount++;
    this.#access.tell({ kind: "watch-opened", project, version });
    const group = this.#groupOf(project, version);
    const watcher = new Watcher({ version, position, progress, reports, group, sink });
    this.#watchers.add(watcher);
    this.#note(watcher);
    group.enter(watcher);
    this.#batches.greet(watcher);
    return watcher;
  }

  #expose({ project, vocabulary }: Exposure): void {
    const groups = this.#groups.get(project);
    if (groups === undefined) return;
    if (vocabulary) this.#regroup(project, [...groups.values()]);
    this.#batches.show(groups.values());
  }

  /** What a version is taken for may be another release now. */
  #regroup(project: string, groups: readonly WatchGroup<Watcher>[]): void {
    for (const watcher of groups.flatMap((group) => [...group.watchers])) {
      const group = this.#groupOf(project, watcher.version);
      if (group === watcher.group) continue;
      this.#leaveGroup(watcher);
      group.enter(watcher);
      watcher.group = group;
    }
  }

  #groupOf(project: string, version: string): WatchGroup<Watcher> {
    const { wallMs } = this.#access.now();
    const release = this.#access.reads.releaseOf(project, version, wallMs);
    const groups = this.#groups.get(project) ?? new Map<string, WatchGroup<Watcher>>();
    const group =
      groups.get(release) ?? new WatchGroup<Watcher>({ access: this.#access, project, release });
    this.#groups.set(project, groups.set(release, group));
    return group;
  }

  #leaveGroup(watcher: Watcher): void {
    const { group } = watcher;
    group.leave(watcher);
    if (group.watchers.size > 0) return;
    const groups = this.#groups.get(group.project);
    groups?.delete(group.release);
    if (groups?.size === 0) this.#groups.delete(group.project);
  }
}
