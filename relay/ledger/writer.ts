import { create, toBinary } from "@bufbuild/protobuf";
import type { Position, Trust } from "../../gen/headwater/v1/ledger_pb.ts";
import type { CommitRequest } from "../../gen/headwater/v1/ledgers_pb.ts";
import { type WriterKeys, WriterKeysSchema } from "../../gen/headwater/v1/store_pb.ts";
import { isName } from "../flag/name.ts";
import { commitEntriesMax, sequenceMax } from "../limits.ts";
import { done, type Outcome, refused } from "../refusal.ts";
import { bytesEqual, SigningKey } from "../trust/key.ts";
import {
  authorityOf,
  beatKeysOf,
  extendTrust,
  ledgerKeyOf,
  type Trusted,
} from "../trust/trusted.ts";
import { entrySchemas, splitEntryKey } from "./entry.ts";
import { type SignedBeat, signBeat, signHead } from "./head.ts";
import { Ledger, type LedgerChange } from "./ledger.ts";
import { type LedgerNameLike, positionText, samePosition } from "./position.ts";

/** The online keys with which this node writes one ledger. */
export class Writer {
  readonly term: number;
  readonly ledgerKey: SigningKey;
  readonly beatKey: SigningKey;

  constructor(of: { term: number; ledgerSeed: Uint8Array; beatSeed: Uint8Array }) {
    this.term = of.term;
    this.ledgerKey = new SigningKey(of.ledgerSeed);
    this.beatKey = new SigningKey(of.beatSeed);
  }

  /** For the store; without a name the ledger does not exist yet. */
  record(ledger: LedgerNameLike | undefined): Uint8Array {
    const { term, ledgerKey, beatKey } = this;
    const keys = create(WriterKeysSchema, {
      term,
      ledgerSeed: ledgerKey.seed,
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
    if (ledger.head === undefined) return undefined;
    return signBeat({ head: ledger.head, wallMs, key: this.beatKey });
  }
}

/** A first, empty head for a project whose root and grants name this writer's keys. */
export function foundLedger(of: {
  project: string;
  trust: Trust;
  writer: Writer;
  wallMs: number;
}): Outcome<{ ledger: Ledger; trusted: Trusted; change: LedgerChange }> {
  const first = of.trust.roots[0];
  if (!isName(of.project)) return refused("invalid", "project: not a name");
  if (first === undefined) return refused("invalid", "trust: without a root");
  const ledger = new Ledger({ authority: authorityOf(first), project: of.project });
  const trusted = extendTrust(ledger.name, undefined, of.trust);
  if (!trusted.ok) return trusted;
  const problem = grantProblem(trusted.value, of.writer, of.wallMs);
  if (problem !== undefined) return refused("forbidden", problem);
  const change = signChange({
    ledger,
    writer: of.writer,
    entries: [],
    tombstones: [],
    wallMs: of.wallMs,
  });
  return change.ok ? done({ ledger, trusted: trusted.value, change: change.value }) : change;
}

/** The first head of a writer's term: what was held before, in its name. */
export function takeOver(of: {
  ledger: Ledger;
  trusted: Trusted;
  writer: Writer;
  wallMs: number;
}): Outcome<LedgerChange> {
  const problem = grantProblem(of.trusted, of.writer, of.wallMs);
  if (problem !== undefined)
    return refused(
      "forbidden",
      problem,
      "Import the trust bundle that grants them first: `headwater keys import`.",
    );
  return signChange({ ...of, entries: [], tombstones: [] });
}

/** Why nobody would believe what this writer signs; undefined when they would. */
export function grantProblem(trusted: Trusted, writer: Writer, wallMs: number): string | undefined {
  const problem = ledgerGrantProblem(trusted, writer, wallMs);
  if (problem !== undefined) return problem;
  const keys = beatKeysOf(trusted, wallMs);
  const mayBeat = keys.some((key) => bytesEqual(key, writer.beatKey.publicKey));
  return mayBeat ? undefined : "grants: none for this node's beat key";
}

function ledgerGrantProblem(trusted: Trusted, writer: Writer, wallMs: number): string | undefined {
  const granted = ledgerKeyOf(trusted, { term: writer.term, wallMs });
  if (granted !== undefined && bytesEqual(granted, writer.ledgerKey.publicKey)) return undefined;
  return `grants: none for this node's ledger key and term ${writer.term}`;
}

/** Undefined when every entry is so already. */
export function prepareCommit(of: {
  ledger: Ledger;
  writer: Writer;
  request: CommitRequest;
  wallMs: number;
}): Outcome<LedgerChange | undefined> {
  const { ledger, request } = of;
  const conflict = positionConflict(ledger, request.expected) ?? writerProblem(of);
  if (conflict !== undefined) return conflict;
  if (request.entries.length + request.tombstones.length > commitEntriesMax)
    return refused("limit", `entries: more than ${commitEntriesMax} in one commit`);
  for (const { key } of request.entries) {
    if (!Object.hasOwn(entrySchemas, splitEntryKey(key).kind))
      return refused(
        "invalid",
        `entries: ${JSON.stringify(key)} is of no kind that this node knows`,
      );
  }
  const staged = ledger.stage(request);
  if (!staged.ok) return staged;
  if (staged.value.puts.length + staged.value.deletes.length === 0) return done(undefined);
  return signChange({ ...of, entries: request.entries, tombstones: request.tombstones });
}

function positionConflict(
  ledger: Ledger,
  expected: Position | undefined,
): ReturnType<typeof refused> | undefined {
  const { position } = ledger;
  if (expected === undefined || position === undefined || samePosition(expected, position))
    return undefined;
  return refused(
    "conflict",
    `expected: ${positionText(expected)}, the ledger is at ${positionText(position)}`,
    "Somebody else has changed it; look at what there is now and try again.",
  );
}

/** What this writer signed would be refused by everybody else, or would take the ledger back. */
function writerProblem(of: {
  ledger: Ledger;
  writer: Writer;
  wallMs: number;
}): ReturnType<typeof refused> | undefined {
  const { ledger, writer, wallMs } = of;
  const term = ledger.position?.term ?? 0;
  const problem =
    term > writer.term
      ? `ledger: a newer writer has taken over, in term ${term}; this node's is ${writer.term}`
      : ledger.trusted && ledgerGrantProblem(ledger.trusted, writer, wallMs);
  if (problem === undefined) return undefined;
  return refused(
    "forbidden",
    problem,
    "Commit at the node that writes it now, or sign a new grant.",
  );
}

function signChange(of: {
  ledger: Ledger;
  writer: Writer;
  entries: CommitRequest["entries"];
  tombstones: readonly string[];
  wallMs: number;
}): Outcome<LedgerChange> {
  const staged = of.ledger.stage(of);
  if (!staged.ok) return staged;
  const held = of.ledger.head;
  const isSameTerm = held?.position.term === of.writer.term;
  if (isSameTerm && held.position.seq >= sequenceMax)
    return refused(
      "limit",
      `ledger: the sequence of term ${of.writer.term} is used up`,
      "Only somebody else with its key can have done that. `headwater promote` goes on in a new term.",
    );
  const head = signHead({
    ledger: of.ledger.name,
    position: {
      term: of.writer.term,
      seq: isSameTerm ? held.position.seq + 1 : 1,
      digest: staged.value.set.digest,
    },
    previous: held,
    entriesCount: staged.value.set.count,
    wallMs: of.wallMs,
    key: of.writer.ledgerKey,
  });
  return of.ledger.changeTo(head, staged.value);
}

export function writerOf(keys: WriterKeys): Writer {
  return new Writer({ term: keys.term, ledgerSeed: keys.ledgerSeed, beatSeed: keys.beatSeed });
}
