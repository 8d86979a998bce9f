import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { type AdminClient, openAdminClient } from "../../nodes/cli/admin-client.ts";
import { readConfig } from "../../nodes/config/config.ts";
import { openNode, type RunningNode } from "../../nodes/main.ts";
import { headwater } from "../../scripts/demo/node-process.ts";

/** A whole node in this process, with a clock that a test can set. */
export class TimedNode implements AsyncDisposable {
  readonly said: string[] = [];
  /** How far its wall clock is from the right time. */
  wallOffsetMs = 0;
  /** How much more of its monotonic time has passed than of ours. */
  monoOffsetMs = 0;
  readonly directory: string;
  #node: RunningNode | undefined;

  private constructor(directory: string) {
    this.directory = directory;
  }

  static async open(name: string, more: Readonly<Record<string, string>> = {}): Promise<TimedNode> {
    const timed = new TimedNode(mkdtempSync(join(tmpdir(), `headwater-${name}-`)));
    const address = "127.0.0.1:0";
    const env = {
      HEADWATER_NAME: name,
      HEADWATER_DATA_DIR: join(timed.directory, "data"),
      HEADWATER_APPS_ADDR: address,
      HEADWATER_MESH_ADDR: address,
      HEADWATER_ADMIN_ADDR: address,
      ...more,
    };
    const read = readConfig({ env, hostName: name });
    if ("problems" in read) throw new Error(read.problems.join("; "));
    timed.#node = await openNode({
      config: read.config,
      log: { write: ({ message }) => timed.said.push(message) },
      clock: {
        now: () => ({
          wallMs: Date.now() + timed.wallOffsetMs,
          monoMs: performance.now() + timed.monoOffsetMs,
        }),
      },
    });
    return timed;
  }

  get node(): RunningNode {
    if (this.#node === undefined) throw new Error("it is not open");
    return this.#node;
  }

  get admin(): AdminClient {
    return openAdminClient(this.#operatorEnv);
  }

  async init(project: string): Promise<void> {
    const { code, stderr } = await headwater(["init", project], { env: this.#operatorEnv });
    if (code !== 0) throw new Error(stderr);
  }

  async freshness(project: string): Promise<string | undefined> {
    const { projects } = await this.admin.nodes.getStatus({});
    return projects.find((one) => one.project === project)?.freshness;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#node?.[Symbol.asyncDispose]();
    rmSync(this.directory, { recursive: true, force: true });
  }

  get #operatorEnv(): Record<string, string> {
    return {
      HEADWATER_ADMIN_URL: `http://${this.node.admin}`,
      HEADWATER_DATA_DIR: join(this.directory, "data"),
      XDG_CONFIG_HOME: join(this.directory, "config"),
    };
  }
}
