import { BASIS_POINTS_MAX } from "../relay/flag/bucket.ts";
import { decide, type Reason } from "../relay/flag/effective-flag.ts";
import { type App, AppReport, type Health } from "./app-report.ts";
import { AskedFlags } from "./asked-flags.ts";
import { CacheFile } from "./cache-file.ts";
import { FlagFeed, type KeptFeed } from "./flag-feed.ts";
import type { FlagDifference, FlagTable } from "./flag-table.ts";
import type { Freshness } from "./freshness.ts";
import { closeMsMax } from "./limits.ts";
import { Listeners } from "./listeners.ts";
import type { NodeCalls } from "./node-calls.ts";
import type { Problems } from "./problems.ts";
import { Reporter } from "./reporter.ts";
import type { Files } from "./runtime.ts";
import { atMost } from "./timer.ts";
import { Watcher } from "./watcher.ts";

/** How to answer a question about a flag. */
export interface AskOptions {
  /** The answer where nothing is known of the flag: `true` for a path at its end of life. */
  readonly default?: boolean | undefined;
  /** Another running copy than this one, on whose behalf the app asks. */
  readonly instance?: string | undefined;
}

/** A flag, for this instance. */
export interface FlagState {
  readonly name: string;
  readonly enabled: boolean;
  readonly reason: Reason;
}

/** The answer about a flag, and how sure it is. */
export interface FlagDetails extends FlagState {
  readonly freshness: Freshness;
}

/** What can be listened to. */
export interface ClientEvents {
  /** A flag has been turned on or off for this instance. */
  readonly change: FlagState;
  /** The names of flags that are not what they were, for whatever instance. */
  readonly update: readonly string[];
  readonly freshness: Freshness;
}

/** What a client works with. */
export interface ClientParts {
  readonly app: App;
  /** In the order in which they are tried. */
  readonly nodes: readonly NodeCalls[];
  readonly isReporting: boolean;
  readonly cache: { readonly files: Files; readonly path: string } | undefined;
  /** What the cache file has kept for this project and version. */
  readonly kept: KeptFeed | undefined;
  /** The same, once the file has been read, which may be late or never. */
  readonly reading: Promise<KeptFeed | undefined>;
  readonly problems: Problems;
  /** A node has sent flags; comes again and again. */
  readonly served: () => void;
}

/**
 * The flags of one running copy of an app, in memory and kept up to date, and what the copy says of
 * itself. Nothing here throws or rejects, whatever becomes of the node.
 */
export class Client {
  readonly #parts: ClientParts;
  readonly #feed: FlagFeed;
  /** The feed's, one step nearer to those who ask. */
  readonly #table: FlagTable;
  readonly #asked: AskedFlags = new AskedFlags();
  readonly #report: AppReport;
  readonly #listeners: Listeners<ClientEvents>;
  readonly #cache: CacheFile | undefined;
  readonly #reporter: Reporter | undefined;
  readonly #ending = new AbortController();
  readonly #running: readonly Promise<void>[];
  /** What a file has kept is not written over before it is known. */
  #isRead = false;
  #closing: Promise<void> | undefined;

  constructor(parts: ClientParts) {
    this.#parts = parts;
    this.#report = new AppReport(parts.app, this.#asked);
    this.#listeners = new Listeners((thrown) => parts.problems.note("listener", thrown));
    this.#feed = this.#newFeed();
    this.#table = this.#feed.table;
    this.#cache = this.#newCache();
    this.#reporter = parts.isReporting ? this.#newReporter() : undefined;
    const loops = [this.#newWatcher(), this.#reporter];
    this.#running = loops.flatMap((loop) => loop?.run(this.#ending.signal) ?? []);
    void parts.reading.then((late) => this.#hasRead(late));
  }

  /** Whether this instance takes the flag's path: in memory, from what is held at this moment. */
  enabled(name: string, options?: AskOptions): boolean {
    const asked = this.#asked.get(name);
    if (
      asked?.revision === this.#table.revision &&
      asked.fallback === (options?.default === true) &&
      asked.instance === this.#instanceOf(options)
    ) {
      return asked.enabled;
    }
    return this.details(name, options).enabled;
  }

  /** As `enabled`, with the reason and how sure it is. */
  details(name: string, options?: AskOptions): FlagDetails {
    const fallback = options?.default === true;
    const instance = this.#instanceOf(options);
    const { revision } = this.#table;
    const { enabled, reason } = this.#table.decide(name, instance, fallback);
    this.#asked.note(name, { enabled, fallback, instance, revision });
    return { name, enabled, reason, freshness: this.freshness };
  }

  /** Calls back whenever it happens, until `off`. */
  on<Name extends keyof ClientEvents>(
    name: Name,
    listener: (event: ClientEvents[Name]) => unknown,
  ): this {
    this.#listeners.on(name, listener);
    return this;
  }

  off<Name extends keyof ClientEvents>(
    name: Name,
    listener: (event: ClientEvents[Name]) => unknown,
  ): this {
    this.#listeners.off(name, listener);
    return this;
  }

  /** Says how the app is; a change is reported at once. */
  health(health: Health): void {
    const isNew = this.#report.health(health);
    if (isNew === undefined) this.#refuse("health is OK, DEGRADED or FAILED");
    if (isNew) this.#reporter?.hurry();
  }

  /** Says that a feature has been used, which a census may ask about. */
  used(feature: string): void {
    if (!this.#report.used(feature)) this.#refuse("a feature is 1 to 100 of A-Z a-z 0-9 . _ -");
  }

  /** Says that something has crashed: by a hash of function names, the error's text stays here. */
  crash(error: unknown): void {
    // It is often the last thing that a process has to say.
    if (this.#report.crash(error)) this.#reporter?.hurry();
  }

  /** Which running copy this is, by which it is in a flag's share or not. */
  get instance(): string {
    return this.#parts.app.instance;
  }

  /** Whether a node has sent flags; those of the cache file do not count. */
  get ready(): boolean {
    return this.#feed.hasServed;
  }

  /** How sure it is that the flags held are the newest. */
  get freshness(): Freshness {
    return this.#feed.freshness;
  }

  /** What does not work at the moment, a sentence each: for a log, or a page about the app. */
  get problems(): readonly string[] {
    return this.#parts.problems.list;
  }

  /** Reports what no report has said yet, and ends everything. Flags keep their last answers. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const late = new AbortController();
    this.#ending.abort();
    await atMost(closeMsMax, this.#finish(late.signal));
    late.abort();
  }

  async #finish(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#running);
    await Promise.all([this.#reporter?.finish(signal), this.#cache?.close()]);
  }

  #newFeed(): FlagFeed {
    const { app, kept, problems, served } = this.#parts;
    const feed = new FlagFeed({
      changed: (differences) => this.#changed(differences),
      freshnessChanged: (freshness) => this.#listeners.emit("freshness", freshness),
      served: () => {
        problems.clear("flags");
        served();
      },
      refused: () => problems.note("flags", `the node holds nothing of ${app.project} yet`),
      fellBehind: () => problems.note("flags", behind),
      behindChanged: () => this.#save(),
    });
    if (kept !== undefined) feed.restore(kept);
    return feed;
  }

  #newWatcher(): Watcher {
    const { app, nodes, problems, isReporting } = this.#parts;
    return new Watcher({
      nodes,
      app,
      isReporting,
      random: Math.random,
      held: () => this.#feed.held,
      take: (frame) => this.#feed.take(frame),
      // Nodes keep reports in memory, so one that has started anew has none of this app.
      resumed: () => this.#reporter?.hurry(),
      fellSilent: () => this.#feed.fellSilent(),
      failed: (url, thrown) => problems.note("flags", thrown, url),
    });
  }

  #newReporter(): Reporter {
    const { nodes, problems } = this.#parts;
    return new Reporter({
      nodes,
      random: Math.random,
      contents: () => this.#report.message,
      failed: (url, thrown) => problems.note("report", thrown, url),
      succeeded: () => problems.clear("report"),
    });
  }

  #newCache(): CacheFile | undefined {
    const { app, cache, problems } = this.#parts;
    if (cache === undefined) return undefined;
    const [feed, table] = [this.#feed, this.#table];
    const flags = () => (table.isEmpty ? undefined : [...table.flags]);
    return new CacheFile({
      ...cache,
      contents: () => ({
        ...app,
        flags: flags(),
        progress: table.progress,
        behindSinceMs: feed.behindSinceMs,
      }),
      failed: (thrown) => problems.note("cache", thrown),
      succeeded: () => problems.clear("cache"),
    });
  }

  #hasRead(late: KeptFeed | undefined): void {
    this.#isRead = true;
    // A new instance id has to survive even where no node is ever found.
    if (late === undefined || !this.#table.isEmpty) this.#save();
    else this.#changed(this.#feed.restore(late));
  }

  #save(how?: { atOnce: boolean }): void {
    if (this.#isRead) this.#cache?.save(how);
  }

  /** Not everybody who asks is checked by a compiler. */
  #instanceOf(options: AskOptions | undefined): string {
    const given: unknown = options?.instance;
    return typeof given === "string" && given !== "" ? given : this.instance;
  }

  #changed(differences: readonly FlagDifference[]): void {
    // After the next start, perhaps without a node, nobody is to be on a path that was closed before.
    this.#save({ atOnce: differences.some(isLower) });
    if (this.#listeners.has("update") && differences.length > 0) {
      this.#listeners.emit(
        "update",
        differences.map(({ name }) => name),
      );
    }
    if (!this.#listeners.has("change")) return;
    for (const { name, before, after } of differences) {
      const fallback = this.#asked.get(name)?.fallback ?? false;
      const { enabled, reason } = decide(after, this.instance, fallback);
      const wasEnabled = decide(before, this.instance, fallback).enabled;
      if (enabled !== wasEnabled) this.#listeners.emit("change", { name, enabled, reason });
    }
  }

  #refuse(problem: string): void {
    this.#parts.problems.note("call", problem);
  }
}

const behind =
  "the node has come less far than the flags held, which stay until it has caught up, or for five minutes";

/** Whether it is off for some for whom it was on, if only by their default. */
function isLower({ before, after }: FlagDifference): boolean {
  return (after?.basisPoints ?? 0) < (before?.basisPoints ?? BASIS_POINTS_MAX);
}
