import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { FlagSchema } from "../../gen/headwater/v1/flag_pb.ts";
import type { JoinToken } from "../../gen/headwater/v1/mesh_pb.ts";
import { type AdminClient, openAdminClient } from "../../nodes/cli/admin-client.ts";
import { flagEntry, type LedgerEntry } from "../../nodes/cli/ledger-entry.ts";
import { newAuthority } from "../../nodes/cli/new-authority.ts";
import { HASH_VERSION } from "../../relay/flag/bucket.ts";
import { parseToken } from "../../relay/trust/join-token.ts";
import type { NodeAddresses } from "./node-worker.ts";
import { Worker } from "./worker.ts";

/** The project whose flags are changed. */
export const project = "horizon";

/** A root in a process of its own, with flags that are changed through its admin port. */
export class BenchRoot implements AsyncDisposable {
  readonly worker: Worker;
  /** `host:port` of its apps' port. */
  readonly apps: string;
  /** `host:port` of where nodes downstream connect. */
  readonly mesh: string;
  readonly #directory: string;
  readonly #admin: AdminClient;
  #authority: Uint8Array = new Uint8Array(0);

  private constructor(of: {
    worker: Worker;
    directory: string;
    apps: string;
    mesh: string;
    admin: AdminClient;
  }) {
    this.worker = of.worker;
    this.apps = of.apps;
    this.mesh = of.mesh;
    this.#directory = of.directory;
    this.#admin = of.admin;
  }

  static async open(flagsCount: number): Promise<BenchRoot> {
    const directory = mkdtempSync(join(tmpdir(), "headwater-bench-"));
    const worker = new Worker(join(import.meta.dirname, "node-worker.ts"), {
      HEADWATER_NAME: "upstream",
      HEADWATER_DATA_DIR: join(directory, "data"),
      HEADWATER_APPS_ADDR: "127.0.0.1:0",
      HEADWATER_MESH_ADDR: "127.0.0.1:0",
      HEADWATER_ADMIN_ADDR: "127.0.0.1:0",
    });
    const node = await worker.ask<NodeAddresses>("start");
    const admin = openAdminClient({
      HEADWATER_ADMIN_URL: `http://${node.admin}`,
      HEADWATER_ADMIN_TOKEN: readFileSync(node.tokenFile, "utf8").trim(),
    });
    const root = new BenchRoot({ ...node, worker, directory, admin });
    await root.#makeProject(flagsCount);
    return root;
  }

  /** Of its first flag; durable when it resolves. */
  async setPercentage(basisPoints: number): Promise<void> {
    await this.#commit([flagAt("flag-0", basisPoints)]);
  }

  /** For sites downstream: however many nodes may show it. */
  async joinToken(): Promise<JoinToken> {
    const { token } = await this.#admin.nodes.addChild({ name: "downstream" });
    const parsed = parseToken(token);
    if (!parsed.ok) throw new Error(parsed.refusal.message);
    return parsed.value;
  }

  /** Of the project, hex. */
  get authority(): string {
    return Buffer.from(this.#authority).toString("hex");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.worker[Symbol.asyncDispose]();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async #makeProject(flagsCount: number): Promise<void> {
    const keys = await this.#admin.ledgers.prepareLedger({ project });
    const { authority, trust } = newAuthority({ project, overlay: false, ...keys });
    await this.#admin.ledgers.createLedger({ project, trust });
    this.#authority = authority;
    const names = Array.from({ length: flagsCount }, (_, n) => `flag-${n}`);
    await this.#commit(names.map((name) => flagAt(name, 1_000)));
  }

  async #commit(entries: LedgerEntry[]): Promise<void> {
    const ledger = { authority: this.#authority, project };
    await this.#admin.ledgers.commit({ ledger, entries });
  }
}

function flagAt(name: string, basisPoints: number): LedgerEntry {
  return flagEntry(create(FlagSchema, { name, basisPoints, hash: HASH_VERSION }));
}
