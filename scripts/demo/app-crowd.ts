import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import process from "node:process";
import type { AppAnswer, AppMessage, AskedFlag, Instance, StartApps } from "./app-message.ts";
import { atExit } from "./at-exit.ts";
import { TourFailure } from "./claim.ts";
import type { IntendedFlags } from "./intended-flags.ts";
import { cleanEnvironment } from "./node-process.ts";

/** The longest that a change may take to the last app; far more than it does. */
const arrivalMsMax = 20_000;

/** Apps take at most a second for their last report. */
const closeMsMax = 3_000;

/** Running copies of an app at several sites, in a process for each site, and what they see. */
export class AppCrowd implements AsyncDisposable {
  readonly instances: readonly Instance[];
  readonly flags: readonly AskedFlag[];
  readonly #processes: readonly ChildProcess[];
  readonly #seen = new Map<string, boolean>();
  /** What instances should see; empty until something is expected. */
  readonly #expected = new Map<string, boolean>();
  /** Where what is seen is not what is expected. */
  readonly #wrong = new Set<string>();
  #changedMs: number = performance.now();
  #notify: (failure?: Error) => void = () => {};
  #isClosing = false;

  private constructor(of: Pick<AppCrowd, "instances" | "flags">, processes: ChildProcess[]) {
    this.instances = of.instances;
    this.flags = of.flags;
    this.#processes = processes;
  }

  /** Starts the instances of each site; every one has an answer about each flag then. */
  static async start(of: {
    project: string;
    sites: readonly { url: string; instances: readonly Instance[] }[];
    flags: readonly AskedFlag[];
  }): Promise<AppCrowd> {
    const { project, flags } = of;
    const instances = of.sites.flatMap((site) => site.instances);
    const crowd = new AppCrowd(
      { instances, flags },
      of.sites.map(() => spawnApps()),
    );
    const sending = of.sites.map(({ url, instances }, i) =>
      crowd.#processes[i]?.send({ project, url, instances, flags } satisfies StartApps),
    );
    for (const child of crowd.#processes) crowd.#listen(child);
    const answersCount = sending.length === 0 ? 0 : instances.length * flags.length;
    await crowd.#until(
      () => crowd.#seen.size === answersCount,
      () => "apps do not start",
    );
    return crowd;
  }

  /** How many instances take a path. */
  onCount(flag: string): number {
    return this.instances.filter(({ id }) => this.#seen.get(keyOf(id, flag)) === true).length;
  }

  /** Sets what all instances should see from now on; how many answers are not so yet. */
  expect(intended: IntendedFlags): number {
    this.#wrong.clear();
    for (const instance of this.instances) {
      for (const flag of this.flags) {
        const key = keyOf(instance.id, flag.name);
        const isOn = intended.isOn(flag, instance);
        this.#expected.set(key, isOn);
        if (this.#seen.get(key) !== isOn) this.#wrong.add(key);
      }
    }
    return this.#wrong.size;
  }

  /** Waits until all see what is expected; when the last change was heard of, on `performance`. */
  async agreed(what: string): Promise<number> {
    await this.#until(
      () => this.#wrong.size === 0,
      () => {
        const [first = ""] = this.#wrong;
        const count = `${this.#wrong.size} of ${this.#expected.size}`;
        return `${what}: ${count} answers of apps are not as they should be, such as ${first}`;
      },
    );
    return this.#changedMs;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosing = true;
    await Promise.all(this.#processes.map(endApps));
  }

  #listen(child: ChildProcess): void {
    let stderr = "";
    child.stderr?.on("data", (data: Buffer) => {
      stderr = (stderr + data.toString()).slice(-10_000);
    });
    child.on("message", (message) => this.#take(message as AppMessage));
    child.once("exit", (code) => {
      const problem = `an app process has ended with ${code}: ${stderr}`;
      if (!this.#isClosing) this.#notify(new TourFailure(problem));
    });
  }

  #take(message: AppMessage): void {
    this.#changedMs = performance.now();
    for (const answer of "started" in message ? message.started : [message.changed])
      this.#note(answer);
    this.#notify();
  }

  #note({ instance, flag, enabled }: AppAnswer): void {
    const key = keyOf(instance, flag);
    this.#seen.set(key, enabled);
    if ((this.#expected.get(key) ?? enabled) === enabled) this.#wrong.delete(key);
    else this.#wrong.add(key);
  }

  async #until(isSo: () => boolean, problem: () => string): Promise<void> {
    if (isSo()) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = setTimeout(
      () => reject(new TourFailure(`${problem()}, ${arrivalMsMax / 1_000} s later`)),
      arrivalMsMax,
    );
    this.#notify = (failure) => {
      if (failure !== undefined) reject(failure);
      else if (isSo()) resolve();
    };
    try {
      await promise;
    } finally {
      clearTimeout(timer);
    }
  }
}

function keyOf(instance: string, flag: string): string {
  return `${flag} at ${instance}`;
}

function spawnApps(): ChildProcess {
  const child = spawn(process.execPath, [join(import.meta.dirname, "app-process.ts")], {
    env: cleanEnvironment(),
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  const forget = atExit(() => child.kill("SIGKILL"));
  child.once("exit", forget);
  return child;
}

async function endApps(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  const timer = setTimeout(() => child.kill("SIGKILL"), closeMsMax);
  if (child.connected) child.disconnect();
  await ended;
  clearTimeout(timer);
}
