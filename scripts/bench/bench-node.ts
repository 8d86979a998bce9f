import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type AdminClient, openAdminClient } from "../../nodes/cli/admin-client.ts";
import type { NodeAddresses } from "./node-worker.ts";
import { scratchDirectory } from "./scratch.ts";
import { Worker } from "./worker.ts";

/** A node in a process of its own, on addresses of this machine and with data that goes with it. */
export class BenchNode implements AsyncDisposable {
  readonly worker: Worker;
  readonly addresses: NodeAddresses;
  readonly admin: AdminClient;
  readonly #directory: string;

  private constructor(of: {
    worker: Worker;
    addresses: NodeAddresses;
    directory: string;
  }) {
    this.worker = of.worker;
    this.addresses = of.addresses;
    this.#directory = of.directory;
    this.admin = openAdminClient({
      HEADWATER_ADMIN_URL: `http://${of.addresses.admin}`,
      HEADWATER_ADMIN_TOKEN: readFileSync(of.addresses.tokenFile, "utf8").trim(),
    });
  }

  /** With what `headwater child add` says at its parent, downstream of that. */
  static async open(name: string, token?: string): Promise<BenchNode> {
    const directory = scratchDirectory();
    const joinFile = join(directory, "join.token");
    if (token !== undefined) writeFileSync(joinFile, token);
    const worker = new Worker(join(import.meta.dirname, "node-worker.ts"), {
      HEADWATER_NAME: name,
      HEADWATER_DATA_DIR: join(directory, "data"),
      HEADWATER_APPS_ADDR: "127.0.0.1:0",
      HEADWATER_MESH_ADDR: "127.0.0.1:0",
      HEADWATER_ADMIN_ADDR: "127.0.0.1:0",
      ...(token !== undefined && { HEADWATER_JOIN_FILE: joinFile }),
    });
    // It answers once all of it is loaded.
    await worker.ask("cpu");
    const addresses = await worker.ask<NodeAddresses>("start");
    return new BenchNode({ worker, addresses, directory });
  }

  /** A join token for a site downstream: however many of its nodes may show it. */
  async joinToken(): Promise<string> {
    return (await this.admin.nodes.addChild({ name: "downstream" })).token;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.worker[Symbol.asyncDispose]();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
