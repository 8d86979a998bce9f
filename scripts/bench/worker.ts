import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { monitorEventLoopDelay } from "node:perf_hooks";
import process from "node:process";

/** What a worker is asked, by verb. Arguments and answers are JSON. */
type Verbs = Readonly<Record<string, (argument: never) => unknown>>;

interface Ask {
  readonly id: number;
  readonly verb: string;
  readonly argument: unknown;
}

interface Answer {
  readonly id: number;
  readonly value?: unknown;
  readonly problem?: string;
}

/** Where workers leave profiles of their CPU; they leave none unless it is set. */
export const profileVariable = "BENCH_PROFILE_DIR";

/** How a node is run by what `docs/deploy` has. */
const deployedArguments = ["--max-semi-space-size=16"];

/** One part of a measurement in a process of its own, so that its CPU and memory are its own. */
export class Worker implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #asksCount = 0;

  constructor(file: string, env: Readonly<Record<string, string>> = {}) {
    this.#child = fork(file, {
      execArgv: ["--expose-gc", ...deployedArguments, ...profileArguments()],
      env: { ...process.env, ...env },
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    this.#child.on("message", (answer: Answer) => {
      this.#waiting.get(answer.id)?.(answer);
      this.#waiting.delete(answer.id);
    });
    this.#child.once("exit", (code, signal) => {
      const problem = `${file} has ended with ${code ?? signal}`;
      for (const [id, answer] of this.#waiting) answer({ id, problem });
    });
  }

  /** @throws Error with what the worker says has gone wrong */
  async ask<T>(verb: string, argument?: unknown): Promise<T> {
    const id = ++this.#asksCount;
    const answer = await new Promise<Answer>((resolve) => {
      this.#waiting.set(id, resolve);
      this.#child.send({ id, verb, argument } satisfies Ask);
    });
    if (answer.problem !== undefined) throw new Error(answer.problem);
    return answer.value as T;
  }

  /** Microseconds of its CPU since it began. */
  cpuUs(): Promise<number> {
    return this.ask("cpu");
  }

  /** Bytes of its memory that are resident after a full collection. */
  residentBytes(): Promise<number> {
    return this.ask("resident");
  }

  /** Bytes of its memory that it holds on to. */
  heldBytes(): Promise<number> {
    return this.ask("held");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, "exit");
    // Who is killed leaves no profile.
    if (profileArguments().length > 0) this.#child.disconnect();
    else this.#child.kill("SIGKILL");
    await ended;
  }
}

function profileArguments(): string[] {
  const directory = process.env[profileVariable] ?? "";
  return directory === "" ? [] : ["--cpu-prof", `--cpu-prof-dir=${directory}`];
}

/** To be called in a worker: answers what it is asked, and what every worker can say of itself. */
export function serveVerbs(verbs: Verbs): void {
  const all: Readonly<Record<string, (argument: never) => unknown>> = { ...common, ...verbs };
  const answer = async ({ id, verb, argument }: Ask): Promise<Answer> => {
    try {
      return { id, value: await all[verb]?.(argument as never) };
    } catch (thrown) {
      return {
        id,
        problem: thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown),
      };
    }
  };
  process.on("message", (ask: Ask) => void answer(ask).then((said) => process.send?.(said)));
  process.on("disconnect", () => process.exit());
}

const loopDelay = monitorEventLoopDelay({ resolution: 1 });

const common: Verbs = {
  /** Microseconds of CPU of this process since it began. */
  cpu: () => {
    const { user, system } = process.cpuUsage();
    return user + system;
  },
  /**
   * Bytes that are resident after a full collection. Any other keeps the pages that it has freed, and
   * the space where objects are born as large as it has grown: of 10 KiB for each of 5000 streams
   * such pages were another 13.
   */
  resident: () => {
    globalThis.gc?.({ type: "major", execution: "sync", flavor: "last-resort" });
    return process.memoryUsage.rss();
  },
  /** Bytes of all that it holds on to, buffers too; less than is resident, and the same each time. */
  held: () => {
    globalThis.gc?.({ type: "major", execution: "sync", flavor: "last-resort" });
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  },
  /** Bytes that were resident when most were. */
  most: () => process.resourceUsage().maxRSS * 1_024,
  /** Milliseconds that nothing else had its turn, at the longest, since this was asked last. */
  blocked: () => {
    const longestMs = loopDelay.max / 1e6;
    loopDelay.enable();
    loopDelay.reset();
    return longestMs;
  },
};
