import { createHash } from "node:crypto";
import { Code, ConnectError, type ServiceImpl } from "@connectrpc/connect";
import type { Position, Trust } from "../../../gen/headwater/v1/ledger_pb.ts";
import type {
  CommitRequest,
  HistoryRecord,
  LedgerService,
  PromoteRequest,
} from "../../../gen/headwater/v1/ledgers_pb.ts";
import { HeadwaterError, toConnect } from "../../../nodes/error.ts";
import { SigningKey } from "../../../relay/trust/key.ts";
import { authorityOf } from "../../../relay/trust/trusted.ts";

export const ledgerKey: SigningKey = new SigningKey(new Uint8Array(32).fill(1));
export const beatKey: SigningKey = new SigningKey(new Uint8Array(32).fill(2));

/** One ledger of a project, as the admin port serves it: entries and a position, no signatures. */
export class FakeLedger {
  authority: Uint8Array = new Uint8Array(32).fill(7);
  trust: Trust | undefined;
  readonly entries = new Map<string, Uint8Array>();
  readonly commits: CommitRequest[] = [];
  readonly promotions: PromoteRequest[] = [];
  readonly history: Omit<HistoryRecord, "$typeName">[] = [];
  seq = 1;
  /** Thrown by the next call of this name. */
  readonly failures = new Map<string, ConnectError>();
  /** Called before each commit is judged: somebody else's chance. */
  beforeCommit: () => void = () => {};
  /** Called before each reading, which waits for it. */
  beforeRead: () => Promise<void> | void = () => {};
  readonly project: string;
  exists: boolean;

  constructor(project: string, exists = true) {
    this.project = project;
    this.exists = exists;
  }

  get position(): Position {
    const digest = createHash("sha256").update(String(this.seq)).digest();
    return { $typeName: "headwater.v1.Position", term: 1, seq: this.seq, digest };
  }

  service(): ServiceImpl<typeof LedgerService> {
    return {
      prepareLedger: () => {
        this.#fail("prepareLedger");
        if (this.exists) throw refusal("conflict", `${this.project} is held here already`);
        return { ledgerKey: ledgerKey.publicKey, beatKey: beatKey.publicKey };
      },
      createLedger: ({ trust }) => {
        this.#fail("createLedger");
        const root = trust?.roots[0];
        if (root === undefined) throw refusal("invalid", "trust: without a root");
        this.exists = true;
        this.trust = trust;
        this.authority = authorityOf(root);
        this.#fail("createdLedger");
        return {
          ledger: { authority: this.authority, project: this.project },
          position: this.position,
        };
      },
      getLedger: async ({ project }) => {
        this.#fail("getLedger");
        await this.beforeRead();
        if (project !== this.project || !this.exists)
          throw refusal("unknown", `project: "${project}" is not held here`, `Held are: horizon.`);
        return {
          ledger: { authority: this.authority, project },
          position: this.position,
          entries: [...this.entries].map(([key, value]) => ({ key, value })),
          writable: true,
          freshness: "FRESH",
        };
      },
      commit: (request) => this.#commit(request),
      getTrust: ({ project, authority }) => {
        this.#fail("getTrust");
        if (authority.length > 0 && !Buffer.from(authority).equals(this.authority))
          throw refusal("unknown", "project: not held here with this authority");
        return {
          ledger: { authority: this.authority, project },
          term: 1,
          ...(this.trust && { trust: this.trust }),
        };
      },
      updateTrust: ({ trust }) => {
        this.#fail("updateTrust");
        this.trust = trust;
        const rootVersion = trust?.roots.length ?? 0;
        return { changed: true, rootVersion, grantsCount: trust?.grants.length ?? 0 };
      },
      promote: (request) => {
        this.#fail("promote");
        this.promotions.push(request);
        return {
          previous: this.position,
          position: { ...this.position, term: request.term, seq: 1 },
        };
      },
      listHistory: ({ key, limit }) => ({
        records: this.history.filter((one) => key === "" || one.key === key).slice(0, limit || 100),
      }),
    };
  }

  #commit(request: CommitRequest): { position: Position; changed: boolean } {
    this.#fail("commit");
    this.beforeCommit();
    if (request.expected?.seq !== this.seq) throw refusal("conflict", "expected: another position");
    this.commits.push(request);
    this.seq++;
    for (const { key, value } of request.entries) this.#put(request, key, value);
    for (const key of request.tombstones) this.#put(request, key, undefined);
    return { position: this.position, changed: true };
  }

  #put(request: CommitRequest, key: string, value: Uint8Array | undefined): void {
    const before = this.entries.get(key);
    if (value === undefined) this.entries.delete(key);
    else this.entries.set(key, value);
    this.history.unshift({
      atMs: BigInt(Date.UTC(2026, 2, 1)),
      key,
      actor: request.actor,
      token: "admin",
      address: "127.0.0.1",
      commit: request.commit,
      says: "",
      position: this.position,
      ...(before && { before }),
      ...(value && { after: value }),
    });
  }

  #fail(call: string): void {
    const failure = this.failures.get(call);
    this.failures.delete(call);
    if (failure !== undefined) throw failure;
  }
}

/** As a node puts an error on the wire. */
export function refusal(
  kind: HeadwaterError["kind"],
  message: string,
  hint?: string,
): ConnectError {
  return toConnect(new HeadwaterError({ kind, message, hint }));
}

/** What a connection that breaks looks like to a caller. */
export function lost(): ConnectError {
  return new ConnectError("socket hang up", Code.Unavailable);
}
