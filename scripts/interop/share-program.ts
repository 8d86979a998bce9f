import { type ChildProcess, spawn } from "node:child_process";
import { atExit } from "../demo/at-exit.ts";
import { eventually } from "../demo/eventually.ts";
import type { Command } from "./toolchain.ts";

/** Short waits between attempts, so that a drill does not take the 12 s of the published ones. */
const patience = {
  FLAGD_DEADLINE_MS: "10000",
  FLAGD_RETRY_BACKOFF_MS: "100",
  FLAGD_RETRY_BACKOFF_MAX_MS: "500",
};

/** A program that prints the share of instances that a flag is on for, whenever that changes. */
export class ShareProgram implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #forget: () => void;
  readonly #lines: string[] = [];
  #stderr = "";
  /** Lines before this one were taken. */
  #taken = 0;

  constructor(of: { command: Command; apps: string; resolver: string; selector: string }) {
    const [host = "", port = ""] = of.apps.split(":");
    const { resolver: FLAGD_RESOLVER, selector: FLAGD_SOURCE_SELECTOR } = of;
    const flagd = { FLAGD_HOST: host, FLAGD_PORT: port, FLAGD_RESOLVER, FLAGD_SOURCE_SELECTOR };
    const env = { ...process.env, ...patience, ...flagd };
    this.#child = spawn(of.command.file, [...of.command.args], { env });
    this.#forget = atExit(() => this.#child.kill("SIGKILL"));
    let rest = "";
    this.#child.stdout?.on("data", (data: Buffer) => {
      const lines = (rest + data.toString()).split("\n");
      rest = lines.pop() ?? "";
      this.#lines.push(...lines);
    });
    this.#child.stderr?.on("data", (data: Buffer) => {
      this.#stderr = (this.#stderr + data.toString()).slice(-5_000);
    });
  }

  /** The next line that says so, once it is there. */
  async says(onCount: number): Promise<string> {
    const wanted = `new-scheduler is on for ${onCount} of 100 instances`;
    await eventually(
      `it says: ${wanted}`,
      () => {
        if (this.#child.exitCode !== null) throw new Error(`it ended: ${this.#stderr}`);
        if (this.#lines.includes(wanted, this.#taken)) return true;
        const said = this.#lines.slice(this.#taken).join("; ");
        throw new Error(`it said: ${said}; ${this.#stderr}`);
      },
      60_000,
    );
    this.#taken = this.#lines.indexOf(wanted, this.#taken) + 1;
    return wanted;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#forget();
    this.#child.kill("SIGKILL");
  }
}
