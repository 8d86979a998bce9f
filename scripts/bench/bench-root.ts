import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { FlagSchema } from "../../gen/headwater/v1/flag_pb.ts";
import type { CommitRequestSchema } from "../../gen/headwater/v1/ledgers_pb.ts";
import { flagEntry, type LedgerEntry } from "../../nodes/cli/commit/ledger-entry.ts";
import { newAuthority } from "../../nodes/cli/keys/new-authority.ts";
import { HASH_VERSION } from "../../relay/flag/bucket.ts";
import { BenchNode } from "./bench-node.ts";
import type { Worker } from "./worker.ts";

/** The project whose flags are changed. */
export const project = "horizon";

/** What takes longer has failed; on a busy machine ten thousand flags take many seconds. */
const commitMsMax = 120_000;

type Commit = MessageInitShape<typeof CommitRequestSchema>;

/** A root, with flags that are changed through its admin port. */
export class BenchRoot implements AsyncDisposable {
  readonly node: BenchNode;
  readonly #authority: Uint8Array;

  private constructor(node: BenchNode, authority: Uint8Array) {
    this.node = node;
    this.#authority = authority;
  }

  static async open(flagsCount: number): Promise<BenchRoot> {
    const node = await BenchNode.open("upstream");
    const keys = await node.admin.ledgers.prepareLedger({ project });
    const { authority, trust } = newAuthority({ project, overlay: false, ...keys });
    await node.admin.ledgers.createLedger({ project, trust });
    const root = new BenchRoot(node, authority);
    await root.setAll(flagsCount, 1_000);
    return root;
  }

  get worker(): Worker {
    return this.node.worker;
  }

  /** `host:port` of its apps' port. */
  get apps(): string {
    return this.node.addresses.apps;
  }

  /** `host:port` of where nodes downstream connect. */
  get mesh(): string {
    return this.node.addresses.mesh;
  }

  /** Of the project, hex. */
  get authority(): string {
    return Buffer.from(this.#authority).toString("hex");
  }

  /** Of its first flag; durable when it resolves. */
  async setPercentage(basisPoints: number): Promise<void> {
    await this.#send(this.percentage(basisPoints));
  }

  /** The request that does that. */
  percentage(basisPoints: number): Commit {
    return this.#commitOf([flagAt("flag-0", basisPoints)]);
  }

  /** Its first flag for everybody, likewise; the note goes with it to every node. */
  async kill(note: string): Promise<void> {
    await this.#send(this.#commitOf([flagAt("flag-0", 10_000, { note, kill: { versions: "*" } })]));
  }

  /** Of so many of its flags at once, likewise. */
  async setAll(flagsCount: number, basisPoints: number): Promise<void> {
    const names = Array.from({ length: flagsCount }, (_, n) => `flag-${n}`);
    await this.#send(this.#commitOf(names.map((name) => flagAt(name, basisPoints))));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.node[Symbol.asyncDispose]();
  }

  #commitOf(entries: LedgerEntry[]): Commit {
    return { ledger: { authority: this.#authority, project }, entries };
  }

  async #send(commit: Commit): Promise<void> {
    await this.node.admin.ledgers.commit(commit, { timeoutMs: commitMsMax });
  }
}

function flagAt(
  name: string,
  basisPoints: number,
  more: MessageInitShape<typeof FlagSchema> = {},
): LedgerEntry {
  return flagEntry(create(FlagSchema, { name, basisPoints, hash: HASH_VERSION, ...more }));
}
