import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { atExit } from "../../scripts/demo/at-exit.ts";
import { cleanEnvironment } from "../../scripts/demo/node-process.ts";
import type { Freshness } from "../../sdk/freshness.ts";
import { aheadBy } from "./counter.ts";

/** What a process of apps is to run. */
export interface StartApps {
  readonly project: string;
  readonly version: string;
  /** Nodes to try in order. */
  readonly urls: readonly string[];
  readonly instances: readonly string[];
}

/** The number that an instance sees, and how sure it is. */
export interface Seen {
  readonly instance: string;
  readonly number: number;
  readonly freshness: Freshness;
}

const appProcess = fileURLToPath(new URL("app-process.ts", import.meta.url));

/** Apps that watch a counter, and whether one of them ever saw it go back. */
export class Flock implements AsyncDisposable {
  /** Whoever saw an older number after a newer one. */
  readonly wentBack: string[] = [];
  /** Numbers that were seen, of all apps. */
  seenCount = 0;
  readonly instancesCount: number;
  readonly #seen = new Map<string, Seen>();
  readonly #processes: ChildProcess[];
  #failure: Error | undefined;

  private constructor(starts: readonly StartApps[]) {
    this.instancesCount = starts.reduce((sum, { instances }) => sum + instances.length, 0);
    this.#processes = starts.map((start) => this.#start(start));
  }

  /** Each group in a process of its own; resolves once all have seen something. */
  static async start(starts: readonly StartApps[], deadlineMs: number): Promise<Flock> {
    const flock = new Flock(starts);
    await flock.#until(() => flock.#seen.size === flock.instancesCount, deadlineMs);
    return flock;
  }

  /** How many do not see the number. */
  behind(number: number): number {
    return [...this.#seen.values()].filter((one) => one.number !== number).length;
  }

  /**
   * Waits until all see the number.
   * @throws when they do not in time, with who does not
   */
  async agree(number: number, deadlineMs: number): Promise<void> {
    await this.#until(() => this.behind(number) === 0, deadlineMs).catch((thrown: unknown) => {
      const late = [...this.#seen.values()].filter((one) => one.number !== number);
      const some = late
        .slice(0, 3)
        .map((one) => `${one.instance} at ${one.number}, ${one.freshness}`);
      throw new Error(`${late.length} apps are not at ${number}: ${some.join("; ")}`, {
        cause: thrown,
      });
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#processes.map(end));
  }

  async #until(isSo: () => boolean, deadlineMs: number): Promise<void> {
    const startedMs = performance.now();
    while (!isSo()) {
      if (this.#failure !== undefined) throw this.#failure;
      if (performance.now() - startedMs > deadlineMs) throw new Error(`not in ${deadlineMs} ms`);
      await sleep(20);
    }
  }

  #start(start: StartApps): ChildProcess {
    const env = { ...cleanEnvironment(), DO_NOT_TRACK: "0" };
    const child = fork(appProcess, { env, stdio: ["ignore", "ignore", "inherit", "ipc"] });
    const forget = atExit(() => child.kill("SIGKILL"));
    child.on("message", (seen) => this.#take(seen as Seen[]));
    child.once("exit", (code, signal) => {
      forget();
      if (code !== 0) this.#failure = new Error(`an app process has ended with ${code ?? signal}`);
    });
    child.send(start);
    return child;
  }

  #take(all: readonly Seen[]): void {
    for (const seen of all) {
      const before = this.#seen.get(seen.instance);
      this.seenCount++;
      if (before !== undefined && aheadBy(seen.number, before.number) < 0)
        this.wentBack.push(`${seen.instance} from ${before.number} to ${seen.number}`);
      this.#seen.set(seen.instance, seen);
    }
  }
}

/** Their last words take a moment; whoever hangs is ended. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  const timer = setTimeout(() => child.kill("SIGKILL"), 5_000);
  if (child.connected) child.disconnect();
  await ended;
  clearTimeout(timer);
}
