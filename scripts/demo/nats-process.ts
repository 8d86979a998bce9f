import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { installNatsServer } from "../nats-server.mjs";
import { atExit } from "./at-exit.ts";
import { TourFailure } from "./claim.ts";
import { eventually } from "./eventually.ts";
import { freePorts } from "./free-ports.ts";

/** A real nats-server, which keeps its port when it is started again. Nothing in it is precious. */
export class NatsProcess implements AsyncDisposable {
  readonly url: string;
  readonly #path: string;
  readonly #port: number;
  readonly #forget: () => void;
  #child: ChildProcess | undefined;

  private constructor(of: { path: string; port: number }) {
    this.#path = of.path;
    this.#port = of.port;
    this.url = `nats://127.0.0.1:${of.port}`;
    this.#forget = atExit(() => this.#child?.kill("SIGKILL"));
  }

  static async start(): Promise<NatsProcess> {
    const { path, reason } = installNatsServer();
    if (path === undefined)
      throw new TourFailure(`a site of several nodes needs a nats-server: ${reason}`);
    const [port = 0] = await freePorts(1);
    const nats = new NatsProcess({ path, port });
    await nats.restart();
    return nats;
  }

  /** @param login what it asks for; nothing unless given */
  async restart(login?: { user: string; password: string }): Promise<void> {
    const asked = login === undefined ? [] : ["--user", login.user, "--pass", login.password];
    const args = ["--addr", "127.0.0.1", "--port", String(this.#port), ...asked];
    const child = spawn(this.#path, args, { stdio: "ignore" });
    this.#child = child;
    await eventually("nats-server takes connections", async () => {
      if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`);
      const socket = connect(this.#port, "127.0.0.1");
      await once(socket, "data");
      socket.destroy();
      return true;
    });
  }

  /** `SIGSTOP` and `SIGCONT` let it hang and go on; others are waited for. */
  async signal(name: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill(name);
    if (name !== "SIGSTOP" && name !== "SIGCONT") await ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.signal("SIGKILL");
    this.#forget();
  }
}
