import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import {
  type Envelope,
  type Grant,
  GrantSchema,
  RootSchema,
  type Trust,
  TrustSchema,
} from "../../gen/headwater/v1/ledger_pb.ts";
import { CommitRequestSchema } from "../../gen/headwater/v1/ledgers_pb.ts";
import { prepareCommit } from "../../relay/ledger/commit.ts";
import { Ledger, type LedgerChange } from "../../relay/ledger/ledger.ts";
import { type SigningWriter, Writer } from "../../relay/ledger/writer.ts";
import type { Outcome } from "../../relay/refusal.ts";
import { payloadType, seal } from "../../relay/trust/envelope.ts";
import { SigningKey, sha256 } from "../../relay/trust/key.ts";
import { authorityOf, extendTrust, type Trusted } from "../../relay/trust/trusted.ts";

/** 2026-01-01. */
export const epochMs: number = Date.UTC(2026, 0, 1);

/** What a grant lets another key do. */
export type Power = NonNullable<Exclude<MessageInitShape<typeof GrantSchema>, Grant>["power"]>;

/** 32 bytes that follow from a text. */
export function seedOf(text: string): Uint8Array {
  return sha256(Buffer.from(text));
}

export function keyOf(text: string): SigningKey {
  return new SigningKey(seedOf(text));
}

export function valueOf<T>(outcome: Outcome<T>): T {
  if (!outcome.ok) throw new Error(`${outcome.refusal.kind}: ${outcome.refusal.message}`);
  return outcome.value;
}

/** The refusal as `<kind>: <message>`; empty when nothing was refused. */
export function refusalOf(outcome: Outcome<unknown>): string {
  return outcome.ok ? "" : `${outcome.refusal.kind}: ${outcome.refusal.message}`;
}

export function sealedRoot(of: {
  project: string;
  version: number;
  keys: readonly SigningKey[];
  signers: readonly SigningKey[];
  threshold?: number;
}): Envelope {
  const root = create(RootSchema, {
    project: of.project,
    version: of.version,
    threshold: of.threshold ?? 1,
    keys: of.keys.map((key) => key.publicKey),
  });
  const payload = toBinary(RootSchema, root);
  return seal({ type: payloadType.root, payload, keys: of.signers });
}

export function sealedGrant(of: {
  authority: Uint8Array;
  rootVersion: number;
  power: Power;
  signers: readonly SigningKey[];
  expiresMs?: number;
}): Envelope {
  const grant = create(GrantSchema, {
    authority: of.authority,
    rootVersion: of.rootVersion,
    power: of.power,
    expiresMs: BigInt(of.expiresMs ?? 0),
  });
  const payload = toBinary(GrantSchema, grant);
  return seal({ type: payloadType.grant, payload, keys: of.signers });
}

/** An authority with one root key and a writer for term 1; all keys follow from its name. */
export class Authority {
  readonly project: string;
  readonly rootKey: SigningKey;
  readonly root: Envelope;
  /** The authority's name. */
  readonly id: Uint8Array;
  readonly writer: SigningWriter;
  readonly trust: Trust;

  constructor(of: { name?: string; project?: string; powers?: readonly Power[] } = {}) {
    const { name = "upstream", project = "horizon", powers = [] } = of;
    this.project = project;
    this.rootKey = keyOf(`${name} root`);
    const keys = [this.rootKey];
    this.root = sealedRoot({ project, version: 1, keys, signers: keys });
    this.id = authorityOf(this.root);
    this.writer = this.writerOf(1, name);
    const all: Power[] = [
      { case: "ledgerKey", value: { term: 1, key: this.writer.ledgerKey.publicKey } },
      { case: "beatKey", value: { key: this.writer.beatKey.publicKey } },
      ...powers,
    ];
    const grants = all.map((power) => this.grant(power));
    this.trust = create(TrustSchema, { roots: [this.root], grants });
  }

  get trusted(): Trusted {
    return valueOf(
      extendTrust({ authority: this.id, project: this.project }, undefined, this.trust),
    );
  }

  writerOf(term: number, name: string): SigningWriter {
    return new Writer({
      term,
      ledgerSeed: seedOf(`${name} ledger ${term}`),
      beatSeed: seedOf(`${name} beat`),
    }) as SigningWriter;
  }

  /** Signed by root version 1. */
  grant(power: Power, expiresMs: number = 0): Envelope {
    return sealedGrant({
      authority: this.id,
      rootVersion: 1,
      power,
      signers: [this.rootKey],
      expiresMs,
    });
  }

  /** What a node has that knows the authority and nothing of its ledger. */
  emptyLedger(): Ledger {
    const ledger = new Ledger({ authority: this.id, project: this.project });
    ledger.trusted = this.trusted;
    return ledger;
  }

  /** The ledger where it is written, with its first head. */
  ledger(entries: Entries = {}): Ledger {
    const ledger = this.emptyLedger();
    this.commit(ledger, { "release/0": new Uint8Array(0), ...entries });
    return ledger;
  }

  /** Makes a change where the ledger is written; `undefined` deletes. */
  commit(ledger: Ledger, changes: Entries, wallMs: number = epochMs): LedgerChange | undefined {
    const change = this.prepare(ledger, changes, wallMs);
    if (change !== undefined) ledger.accept(change);
    return change;
  }

  prepare(ledger: Ledger, changes: Entries, wallMs: number = epochMs): LedgerChange | undefined {
    const entries = Object.entries(changes).flatMap(([key, value]) =>
      value === undefined ? [] : [{ key, value }],
    );
    const tombstones = Object.keys(changes).filter((key) => changes[key] === undefined);
    const request = create(CommitRequestSchema, { entries, tombstones });
    return valueOf(prepareCommit({ ledger, writer: this.writer, request, wallMs }));
  }
}

/** Entries by key; undefined for one that is to go. */
export type Entries = Readonly<Record<string, Uint8Array | undefined>>;

/** What a ledger holds, as plain values. */
export function contentOf(ledger: Ledger): Map<string, string> {
  return new Map(
    [...ledger.entries]
      .map(([key, { value }]): [string, string] => [key, Buffer.from(value).toString("hex")])
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}
