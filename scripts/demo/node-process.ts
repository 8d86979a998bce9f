import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import process from "node:process";
import { atExit } from "./at-exit.ts";
import { eventually } from "./eventually.ts";
import { freePorts } from "./free-ports.ts";

/** A busy machine starts several at once. */
const startDeadlineMs = 100_000;

/** The program as it is in this checkout. */
export const cli: string = resolve(import.meta.dirname, "../../nodes/cli/main.ts");

const compileCache = resolve(import.meta.dirname, "../../node_modules/.cache/headwater/compiled");

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command of the real program and waits for its end. */
export function headwater(
  args: readonly string[],
  of: {
    env?: Readonly<Record<string, string>>;
    input?: string;
    cwd?: string;
    program?: string;
  } = {},
): Promise<CommandResult> {
  const env = { ...cleanEnvironment(), ...of.env };
  return new Promise((done) => {
    const options = { env, cwd: of.cwd, timeout: 60_000 };
    const program = of.program ?? cli;
    const child = execFile(
      process.execPath,
      [program, ...args],
      options,
      (error, stdout, stderr) => {
        forget();
        const code = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
        done({ code, stdout, stderr });
      },
    );
    const forget = atExit(() => child.kill("SIGKILL"));
    child.stdin?.end(of.input ?? "");
  });
}

/** A node as a process of its own, with a data directory that outlives it. */
export class NodeProcess implements AsyncDisposable {
  readonly directory: string;
  readonly env: Readonly<Record<string, string>>;
  /** What it runs, now or from its next start on; its operator's commands too. */
  program: string;
  readonly apps: string;
  readonly mesh: string;
  readonly admin: string;
  readonly #forget: () => void;
  #child: ChildProcess | undefined;
  #stderr = "";
  #isDisposed = false;

  private constructor(of: {
    directory: string;
    env: Readonly<Record<string, string>>;
    ports: readonly number[];
    program: string;
  }) {
    this.directory = of.directory;
    this.program = of.program;
    this.env = of.env;
    [this.apps = "", this.mesh = "", this.admin = ""] = of.ports.map((port) => `127.0.0.1:${port}`);
    this.#forget = atExit(() => {
      this.#child?.kill("SIGKILL");
      this.#removeDirectory();
    });
  }

  /** Starts a node of a name and site and waits until it serves. */
  static async start(
    name: string,
    env: Readonly<Record<string, string>> = {},
    program: string = cli,
  ): Promise<NodeProcess> {
    const ports = await freePorts(3);
    const directory = mkdtempSync(join(tmpdir(), `headwater-${name}-`));
    const [apps, mesh, admin] = ports.map((port) => `127.0.0.1:${port}`);
    const node = new NodeProcess({
      directory,
      ports,
      program,
      env: {
        HEADWATER_NAME: name,
        HEADWATER_DATA_DIR: join(directory, "data"),
        HEADWATER_APPS_ADDR: apps ?? "",
        HEADWATER_MESH_ADDR: mesh ?? "",
        HEADWATER_ADMIN_ADDR: admin ?? "",
        ...env,
      },
    });
    try {
      await node.restart();
    } catch (thrown) {
      await node[Symbol.asyncDispose]();
      throw thrown;
    }
    return node;
  }

  /** What it has said on stderr, since it was last started. */
  get stderr(): string {
    return this.#stderr;
  }

  get isRunning(): boolean {
    return this.#child?.exitCode === null && this.#child.signalCode === null;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  get name(): string {
    return this.env["HEADWATER_NAME"] ?? "";
  }

  get dataDirectory(): string {
    return this.env["HEADWATER_DATA_DIR"] ?? "";
  }

  /** What an operator of this node sets. */
  get operatorEnv(): Readonly<Record<string, string>> {
    return {
      HEADWATER_ADMIN_URL: `http://${this.admin}`,
      HEADWATER_DATA_DIR: this.dataDirectory,
      XDG_CONFIG_HOME: join(this.directory, "config"),
    };
  }

  async restart(): Promise<void> {
    if (this.#isDisposed) throw new Error(`${this.name} is gone for good`);
    this.#stderr = "";
    const env = { ...cleanEnvironment(), ...this.env };
    const child = spawn(process.execPath, [this.program, "node"], {
      env,
      stdio: ["ignore", "ignore", "pipe"],
    });
    this.#child = child;
    child.stderr.on("data", (data: Buffer) => {
      this.#stderr = (this.#stderr + data.toString()).slice(-200_000);
    });
    await eventually(
      `${this.name} serves`,
      async () => {
        if (child.exitCode !== null) throw new Error(`it ended: ${this.#stderr}`);
        return (await fetch(`http://${this.admin}/healthz`)).ok;
      },
      startDeadlineMs,
    );
  }

  /** SIGKILL leaves it no chance to do anything. */
  async kill(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    const child = this.#child;
    if (child === undefined || !this.isRunning) return;
    child.kill(signal);
    await once(child, "exit");
  }

  /** A signal that does not end it. */
  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  /** A command spoken to this node. */
  run(args: readonly string[], input?: string): Promise<CommandResult> {
    return headwater(args, {
      env: this.operatorEnv,
      cwd: this.directory,
      program: this.program,
      ...(input !== undefined && { input }),
    });
  }

  /** The same, which has to succeed; its stdout. */
  async do(args: readonly string[], input?: string): Promise<string> {
    const { code, stdout, stderr } = await this.run(args, input);
    if (code !== 0) throw new Error(`headwater ${args.join(" ")} ended with ${code}: ${stderr}`);
    return stdout;
  }

  /** Asks what an app would ask, with plain HTTP. */
  async evaluate(of: {
    project: string;
    flag: string;
    instance?: string;
    version?: string;
  }): Promise<{ enabled: boolean; reason: string; freshness: string }> {
    const response = await fetch(`http://${this.apps}/headwater.v1.FlagService/Evaluate`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ instance: "i-1", version: "2.3.0", ...of }),
    });
    return (await response.json()) as { enabled: boolean; reason: string; freshness: string };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true;
    await this.kill();
    this.#removeDirectory();
    this.#forget();
  }

  /** What a killed process had begun to write may still appear. */
  #removeDirectory(): void {
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** What a child joins its parent with: one paste. */
export async function joinProcess(parent: NodeProcess, child: NodeProcess): Promise<void> {
  const site = child.env["HEADWATER_SITE"] ?? child.name;
  const token = await parent.do(["child", "add", site]);
  await child.do(["join", token.trim()]);
}

/**
 * The environment, without what the user has set for nodes and apps of their own: not even
 * DO_NOT_TRACK. What is compiled once is kept: it is half of what a command costs.
 */
export function cleanEnvironment(): Record<string, string> {
  const own = Object.entries(process.env).flatMap(([name, value]) =>
    value === undefined || name.startsWith("HEADWATER_") || name === "DO_NOT_TRACK"
      ? []
      : [[name, value] as const],
  );
  return { NODE_COMPILE_CACHE: compileCache, ...Object.fromEntries(own) };
}
