import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { scratchDirectory } from "../scratch.ts";

/** What does not answer by then does not start. */
const startMsMax = 60_000;

/** A program of others while it runs. What it costs is read from /proc, which only Linux has. */
export class PeerProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #directory: string;

  private constructor(child: ChildProcess, directory: string) {
    this.#child = child;
    this.#directory = directory;
  }

  /**
   * In a directory of its own, with these files in it, that goes with it; resolves when it takes
   * connections at that `host:port`.
   * @throws Error when it ends first, or never does
   */
  static async open(of: {
    program: string;
    args: (directory: string) => readonly string[];
    address: string;
    files?: Readonly<Record<string, string>>;
  }): Promise<PeerProcess> {
    const directory = scratchDirectory();
    for (const [name, text] of Object.entries(of.files ?? {}))
      writeFileSync(join(directory, name), text);
    const args = of.args(directory);
    const child = spawn(of.program, args, { stdio: "ignore", cwd: directory });
    const peer = new PeerProcess(child, directory);
    const failed = once(child, "exit").then(() => {
      throw new Error(`${of.program} ${args.join(" ")} has ended`);
    });
    failed.catch(() => undefined);
    try {
      await Promise.race([answers(of.address), failed]);
      return peer;
    } catch (thrown) {
      await peer[Symbol.asyncDispose]();
      throw thrown;
    }
  }

  /** Microseconds of CPU of all its threads since it began. */
  async cpuUs(): Promise<number> {
    const tasks = `/proc/${this.#child.pid}/task`;
    const ns = readdirSync(tasks).map((task) => {
      const [onCpu = "0"] = readFileSync(join(tasks, task, "schedstat"), "utf8").split(" ");
      return Number(onCpu);
    });
    return ns.reduce((sum, one) => sum + one, 0) / 1_000;
  }

  /** Nobody can ask it for a collection. */
  async residentBytes(): Promise<number> {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, "utf8");
    return Number(/^VmRSS:\s*(\d+) kB$/m.exec(status)?.[1]) * 1_024;
  }

  /** Another file in its directory in the place of one, at once. */
  replace(name: string, text: string): void {
    const path = join(this.#directory, name);
    writeFileSync(`${path}.new`, text);
    renameSync(`${path}.new`, path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const ended = once(this.#child, "exit");
      this.#child.kill("SIGKILL");
      await ended;
    }
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

async function answers(address: string): Promise<void> {
  for (const endMs = performance.now() + startMsMax; performance.now() < endMs; await sleep(50))
    if (await takes(address)) return;
  throw new Error(`nothing takes connections at ${address}`);
}

function takes(address: string): Promise<boolean> {
  const [host = "", port] = address.split(":");
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(port) });
    socket.once("error", () => resolve(false)).once("connect", () => resolve(true));
    socket.once("connect", () => socket.destroy());
  });
}
