import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished, type TestContext } from "vitest";
import { findCurrentNatsServer, findNatsServer } from "../../../scripts/nats-server.mjs";
import { eventually } from "./eventually.ts";

/** A real nats-server, on a port that stays its own when it is started again. */
export class NatsServer {
  readonly port: number;
  /** What it has logged so far. */
  log = "";
  readonly #path: string;
  readonly #directory: string;
  #process: ChildProcess | undefined;

  constructor(of: { path: string; port: number; directory: string }) {
    this.port = of.port;
    this.#path = of.path;
    this.#directory = of.directory;
  }

  /** The URL, with `user:password` or a token in it. */
  url(credentials = ""): string {
    return `nats://${credentials === "" ? "" : `${credentials}@`}127.0.0.1:${this.port}`;
  }

  /** Resolves once it takes connections; `config` is what its configuration file says. */
  async start(config = ""): Promise<void> {
    const file = this.#writeConfig(config);
    const started = spawn(this.#path, ["-c", file], { stdio: ["ignore", "ignore", "pipe"] });
    started.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.log += text;
    });
    this.#process = started;
    await eventually(() => this.#greets());
  }

  /** It takes another configuration, and its connections stay. */
  reload(config: string): void {
    this.#writeConfig(config);
    this.#process?.kill("SIGHUP");
  }

  /** PEM both. */
  async startWithTls({ cert, key }: { cert: string; key: string }): Promise<void> {
    const files = { cert_file: cert, key_file: key };
    const lines = Object.entries(files).map(([name, pem]) => {
      const file = join(this.#directory, name);
      writeFileSync(file, pem);
      return `${name}: "${file}"`;
    });
    await this.start(`tls { ${lines.join(", ")} }`);
  }

  async stop(): Promise<void> {
    const running = this.#process;
    this.#process = undefined;
    if (running === undefined) return;
    const ended = once(running, "exit");
    // A frozen process hears of nothing else.
    running.kill("SIGKILL");
    await ended;
  }

  /** It hangs, with its connections open. */
  freeze(): void {
    this.#process?.kill("SIGSTOP");
  }

  thaw(): void {
    this.#process?.kill("SIGCONT");
  }

  #writeConfig(config: string): string {
    const file = join(this.#directory, "nats.conf");
    writeFileSync(file, `listen: "127.0.0.1:${this.port}"\n${config}\n`);
    return file;
  }

  async #greets(): Promise<void> {
    if (this.#process?.exitCode !== null) throw new Error(`nats-server ended: ${this.log}`);
    const socket = connect(this.port, "127.0.0.1");
    await once(socket, "data");
    socket.destroy();
  }
}

/** The distribution's nats-server, or a current one. */
export type NatsRelease = "packaged" | "current";

/**
 * Not yet started. Where there is no nats-server the test is skipped; under `CI` it fails, unless
 * what is missing is a current one, which only a machine with Go can build.
 */
export async function natsServer(
  context: TestContext,
  release: NatsRelease = "packaged",
): Promise<NatsServer> {
  const isCurrent = release === "current";
  const path = isCurrent ? findCurrentNatsServer() : findNatsServer();
  if (path === undefined) {
    const why = isCurrent
      ? "no current nats-server here: with Go, run node scripts/nats-server.mjs --current"
      : "no nats-server here: put one on the PATH, or run node scripts/nats-server.mjs";
    if (process.env["CI"] && !isCurrent) throw new Error(why);
    return context.skip(why);
  }
  const directory = mkdtempSync(join(tmpdir(), "headwater-test-"));
  const server = new NatsServer({ path, port: await freePort(), directory });
  onTestFinished(async () => {
    await server.stop();
    rmSync(directory, { recursive: true, force: true });
  });
  return server;
}

export async function startedServer(
  context: TestContext,
  config = "",
  release: NatsRelease = "packaged",
): Promise<NatsServer> {
  const server = await natsServer(context, release);
  await server.start(config);
  return server;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("not a port");
  return address.port;
}
