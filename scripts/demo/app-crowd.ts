import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { fileURLToPath } from "node:url";
import type { AppAnswer, AppMessage, AskedFlag, Instance, StartApps } from "./app-message.ts";
import { atExit } from "./at-exit.ts";
import { TourFailure } from "./claim.ts";
import type { IntendedFlags } from "./intended-flags.ts";
import { cleanEnvironment } from "./node-process.ts";

const appProcess = fileURLToPath(new URL("./app-process.ts", import.meta.url));

/** The longest that a change may take to the last app; far more than it does. */
const arrivalMsMax = 20_000;

/** Apps take at most a second for their last report. */
const closeMsMax = 3_000;

/** Running copies of an app, in a process for each node that they use, and what they see. */
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
  #notify: () => void = () => {};
  #failure: TourFailure | undefined;

  private constructor(of: Pick<AppCrowd, "instances" | "flags">, processes: ChildProcess[]) {
    this.instances = of.instances;
    this.flags = of.flags;
    this.#processes = processes;
    for (const child of processes) this.#listen(child);
  }

  /** Starts the instances of each node; every one has an answer about each flag then. */
  static async start(of: {
    project: string;
    nodes: readonly { urls: readonly string[]; instances: readonly Instance[] }[];
    flags: readonly AskedFlag[];
  }): Promise<AppCrowd> {
    const { project, flags } = of;
    const instances = of.nodes.flatMap((node) => node.instances);
    const processes = of.nodes.map((node) => {
      const child = spawnApps();
      child.send({ project, flags, ...node } satisfies StartApps);
      return child;
    });
    await using parts = new AsyncDisposableStack();
    const crowd = parts.use(new AppCrowd({ instances, flags }, processes));
    await crowd.#until(
      () => crowd.#seen.size === instances.length * flags.length,
      () => "not all apps have started",
    );
    parts.move();
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
    await Promise.all(this.#processes.map(endApps));
  }

  #listen(child: ChildProcess): void {
    let stderr = "";
    child.stderr?.on("data", (data: Buffer) => {
      stderr = (stderr + data.toString()).slice(-10_000);
    });
    child.on("message", (message) => this.#take(message as AppMessage));
    const fail = (problem: string): void => {
      this.#failure ??= new TourFailure(problem);
      this.#notify();
    };
    child.once("error", ({ message }) => fail(`an app process can not be reached: ${message}`));
    child.once("exit", (code, signal) =>
      fail(`an app process has ended with ${code ?? signal}: ${stderr}`),
    );
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
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = setTimeout(
      () => reject(new TourFailure(`${problem()}, ${arrivalMsMax / 1_000} s later`)),
      arrivalMsMax,
    );
    this.#notify = () => {
      if (this.#failure !== undefined) reject(this.#failure);
      else if (isSo()) resolve();
    };
    this.#notify();
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
  const child = spawn(process.execPath, [appProcess], {
    // What these apps report stays on this machine, whatever the user wants of others.
    env: { ...cleanEnvironment(), DO_NOT_TRACK: "0" },
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
