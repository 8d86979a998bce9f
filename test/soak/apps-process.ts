import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { atExit } from "../../scripts/demo/at-exit.ts";
import { cleanEnvironment } from "../../scripts/demo/node-process.ts";

/** What a process of apps is to do. */
export interface StartApps {
  readonly project: string;
  /** Nodes; each app tries them in an order of its own. */
  readonly urls: readonly string[];
  /** So many run at any time. */
  readonly appsCount: number;
}

const entry = fileURLToPath(new URL("coming-and-going.ts", import.meta.url));

const endMsMax = 5_000;

/** Apps that come and go, in a process of their own, as an SDK in a service that runs for long. */
export class AppsProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  /** How many have come by now. */
  startedCount = 0;

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.on("message", (count) => {
      this.startedCount = count as number;
    });
    child.once(
      "exit",
      atExit(() => child.kill("SIGKILL")),
    );
  }

  /** Resolves once the first ones are there. */
  static async start(
    of: StartApps & { readonly env: Readonly<Record<string, string>> },
  ): Promise<AppsProcess> {
    const { env, ...start } = of;
    const child = fork(entry, {
      env: { ...cleanEnvironment(), ...env, DO_NOT_TRACK: "0" },
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    const apps = new AppsProcess(child);
    child.send(start satisfies StartApps);
    await once(child, "message");
    return apps;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.isRunning) return;
    const ended = once(this.#child, "exit");
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), endMsMax);
    if (this.#child.connected) this.#child.disconnect();
    await ended;
    clearTimeout(timer);
  }
}
