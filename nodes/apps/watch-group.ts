import type { NodeAccess } from "../access.ts";
import { Standing } from "./standing.ts";

/** Who is shown where a group stands. */
export interface Onlooker {
  see(now: Standing): void;
}

/** All who watch the same table: one project, one release. */
export class WatchGroup<W extends Onlooker> {
  readonly #watchers = new Set<W>();
  readonly #access: NodeAccess;
  readonly project: string;
  /** Empty for unknown builds. */
  readonly release: string;
  #standing: Standing | undefined;
  /** Goes round among all of them for ever: whoever is next has waited for longest. */
  #next: Iterator<W> = this.#watchers.values();
  #unseenCount = 0;

  constructor(of: { access: NodeAccess; project: string; release: string }) {
    this.#access = of.access;
    this.project = of.project;
    this.release = of.release;
  }

  get watchers(): ReadonlySet<W> {
    return this.#watchers;
  }

  /** Monotonic milliseconds. */
  get monoMs(): number {
    return this.#access.now().monoMs;
  }

  enter(watcher: W): void {
    this.#watchers.add(watcher);
    // It is gone past before the last of those who have not seen it.
    if (this.#unseenCount > 0) this.#unseenCount++;
  }

  leave(watcher: W): void {
    this.#watchers.delete(watcher);
  }

  /** The same object for as long as nothing moves. */
  now(): Standing {
    const { wallMs } = this.#access.now();
    const { reads } = this.#access;
    const now = new Standing({
      table: reads.table(this.project, this.release, wallMs),
      freshness: reads.freshness(this.project, wallMs),
      progress: reads.progress(this.project),
    });
    if (this.#standing?.isLike(now) === true) return this.#standing;
    this.#standing = now;
    return now;
  }

  /** From here on all of them are to see where it stands. */
  moved(): void {
    this.#unseenCount = this.#watchers.size;
  }

  get isSeen(): boolean {
    return this.#unseenCount === 0;
  }

  /** Lets so many see it, at most; how many have. */
  show(countMax: number): number {
    const now = this.now();
    const count = Math.min(countMax, this.#unseenCount, this.#watchers.size);
    for (let n = 0; n < count; n++) this.#nextWatcher()?.see(now);
    this.#unseenCount = Math.min(this.#unseenCount, this.#watchers.size) - count;
    return count;
  }

  #nextWatcher(): W | undefined {
    const next = this.#next.next();
    if (next.done !== true) return next.value;
    this.#next = this.#watchers.values();
    const first = this.#next.next();
    return first.done === true ? undefined : first.value;
  }
}
