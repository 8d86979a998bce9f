import type { WatchResponse } from "../../gen/headwater/v1/apps_pb.ts";
import { heartbeatIntervalMs } from "../../relay/cadence.ts";
import type { Exposure } from "../../relay/effect.ts";
import { watchersCountMax } from "../../relay/limits.ts";
import type { NodeAccess } from "../access.ts";
import { HeadwaterError } from "../error.ts";
import { messageStream, Wakening } from "../http/message-stream.ts";
import type { AppsCounts } from "./apps-counts.ts";
import { WatchGroup } from "./watch-group.ts";
import { Watcher } from "./watcher.ts";

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
}

/** The streams of effective flags to apps, grouped by what they have in common. */
export class WatchStreams {
  readonly #access: NodeAccess;
  readonly #counts: AppsCounts;
  readonly #shutdown: AbortSignal;
  readonly #heartbeatMs: number;
  /** By project, then release. */
  readonly #groups = new Map<string, Map<string, WatchGroup>>();

  constructor(options: WatchOptions) {
    this.#access = options.access;
    this.#counts = options.counts;
    this.#shutdown = options.shutdown;
    this.#heartbeatMs = options.heartbeatMs ?? heartbeatIntervalMs;
    this.#access.onExpose((exposure) => this.#expose(exposure), options.shutdown);
  }

  /**
   * Frames for one app, the first at once, until the signal. The signal alone frees the watcher: a
   * generator that waits for a client to read may never be asked to return.
   * @throws HeadwaterError `limit` past the bound on streams
   */
  open(target: WatchTarget, signal: AbortSignal): AsyncIterable<WatchResponse> {
    if (this.#counts.watchersCount >= watchersCountMax) {
      throw new HeadwaterError({
        kind: "limit",
        message: `this node has ${watchersCountMax} watch streams already`,
        hint: "use another node of the site",
      });
    }
    const wakening = new Wakening();
    const watcher = this.#add(target, wakening);
    const heartbeat = setInterval(() => watcher.oweHeartbeat(), this.#heartbeatMs);
    const free = (): void => {
      clearInterval(heartbeat);
      this.#remove(target, watcher);
      wakening.wake();
    };
    if (signal.aborted) free();
    else signal.addEventListener("abort", free, { once: true });
    const take = (): WatchResponse | undefined => {
      const frame = watcher.take();
      if (frame !== undefined) heartbeat.refresh();
      return frame;
    };
    return messageStream({ take, wakening, signal, shutdown: this.#shutdown });
  }

  #add(target: WatchTarget, wakening: Wakening): Watcher {
    const { project, version, position } = target;
    this.#counts.watchersCount++;
    this.#access.tell({ kind: "watch-opened", project, version });
    const group = this.#groupOf(project, version);
    const watcher = new Watcher({ version, position, group, onOwed: () => wakening.wake() });
    group.watchers.add(watcher);
    watcher.catchUp(group.now());
    return watcher;
  }

  #remove({ project, version }: WatchTarget, watcher: Watcher): void {
    this.#counts.watchersCount--;
    this.#leave(project, watcher);
    this.#access.tell({ kind: "watch-closed", project, version });
  }

  #expose({ project, changes, vocabulary }: Exposure): void {
    const groups = this.#groups.get(project);
    if (groups === undefined) return;
    if (vocabulary) this.#regroup(project, [...groups.values()]);
    for (const [release, group] of groups)
      group.expose(changes.filter((change) => change.release === release));
  }

  /** What a version is taken for may be another release now. */
  #regroup(project: string, groups: readonly WatchGroup[]): void {
    for (const watcher of groups.flatMap((group) => [...group.watchers])) {
      const group = this.#groupOf(project, watcher.version);
      if (group === watcher.group) continue;
      this.#leave(project, watcher);
      group.watchers.add(watcher);
      watcher.group = group;
    }
  }

  #groupOf(project: string, version: string): WatchGroup {
    const { wallMs } = this.#access.now();
    const release = this.#access.reads.releaseOf(project, version, wallMs);
    const groups = this.#groups.get(project) ?? new Map<string, WatchGroup>();
    const group = groups.get(release) ?? new WatchGroup({ access: this.#access, project, release });
    this.#groups.set(project, groups.set(release, group));
    return group;
  }

  #leave(project: string, watcher: Watcher): void {
    const { group } = watcher;
    group.watchers.delete(watcher);
    if (group.watchers.size > 0) return;
    const groups = this.#groups.get(project);
    groups?.delete(group.release);
    if (groups?.size === 0) this.#groups.delete(project);
  }
}
