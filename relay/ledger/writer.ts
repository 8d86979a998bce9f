import { create, toBinary } from "@bufbuild/protobuf";
import { type WriterKeys, WriterKeysSchema } from "../../gen/headwater/v1/store_pb.ts";
import { bytesEqual, SigningKey } from "../trust/key.ts";
import { saidTrust } from "../trust/said-trust.ts";
import { beatKeysOf, ledgerKeyOf, type Trusted } from "../trust/trusted.ts";
import { type SignedBeat, signBeat } from "./head.ts";
import type { Ledger } from "./ledger.ts";
import type { LedgerNameLike } from "./position.ts";

/**
 * The online keys with which this node writes one ledger. Without a ledger key its heads are signed
 * elsewhere, and the node says for as long as it serves them that they are the newest.
 */
export class Writer {
  readonly term: number;
  readonly ledgerKey: SigningKey | undefined;
  readonly beatKey: SigningKey;

  constructor(of: { term: number; ledgerSeed: Uint8Array; beatSeed: Uint8Array }) {
    this.term = of.term;
    this.ledgerKey = of.ledgerSeed.length === 0 ? undefined : new SigningKey(of.ledgerSeed);
    this.beatKey = new SigningKey(of.beatSeed);
  }

  /** For the store; without a name the ledger does not exist yet. */
  record(ledger: LedgerNameLike | undefined): Uint8Array {
    const { term, ledgerKey, beatKey } = this;
    const keys = create(WriterKeysSchema, {
      term,
      ledgerSeed: ledgerKey?.seed ?? new Uint8Array(0),
      beatSeed: beatKey.seed,
      ...(ledger && { ledger: { authority: ledger.authority, project: ledger.project } }),
    });
    return toBinary(WriterKeysSchema, keys);
  }

  /** A beat without a grant would only make those who get it hang up. */
  mayBeat({ trusted }: Ledger, wallMs: number): boolean {
    const keys = trusted === undefined ? [] : beatKeysOf(trusted, wallMs);
    return keys.some((key) => bytesEqual(key, this.beatKey.publicKey));
  }

  beat(ledger: Ledger, wallMs: number): SignedBeat | undefined {
    const { head, trusted } = ledger;
    if (head === undefined) return undefined;
    return signBeat({ head, said: saidTrust(trusted), wallMs, key: this.beatKey });
  }
}

/** What signs the heads of a term. */
export interface HeadSigner {
  readonly term: number;
  readonly ledgerKey: SigningKey;
}

/** A writer that has its ledger key. */
export type SigningWriter = Writer & HeadSigner;

/** Whether it has its ledger key. */
export function signs(writer: Writer): writer is SigningWriter {
  return writer.ledgerKey !== undefined;
}

/** Whether this node only beats for what others sign. */
export function isSignedElsewhere(writer: Writer | undefined): boolean {
  return writer !== undefined && !signs(writer);
}

/** Why nobody would believe what this writer signs; undefined when they would. */
export function grantProblem(trusted: Trusted, writer: Writer, wallMs: number): string | undefined {
  const problem = ledgerGrantProblem(trusted, writer, wallMs);
  if (problem !== undefined) return problem;
  const keys = beatKeysOf(trusted, wallMs);
  const mayBeat = keys.some((key) => bytesEqual(key, writer.beatKey.publicKey));
  return mayBeat ? undefined : "grants: none for this node's beat key";
}

/** The same of its ledger key alone. */
export function ledgerGrantProblem(
  trusted: Trusted,
  writer: Writer,
  wallMs: number,
): string | undefined {
  const granted = ledgerKeyOf(trusted, { term: writer.term, wallMs });
  const key = signs(writer) ? writer.ledgerKey.publicKey : granted;
  if (granted !== undefined && key !== undefined && bytesEqual(granted, key)) return undefined;
  return `grants: none for this node's ledger key and term ${writer.term}`;
}

export function writerOf(keys: WriterKeys): Writer {
  return new Writer({ term: keys.term, ledgerSeed: keys.ledgerSeed, beatSeed: keys.beatSeed });
}
