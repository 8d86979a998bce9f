import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  type Beat,
  BeatSchema,
  type Envelope,
  type Head,
  HeadSchema,
  type Position,
} from "../../gen/headwater/v1/ledger_pb.ts";
import { beatExpiryMs, clockSkewMsMax } from "../cadence.ts";
import { headBytesMax, ledgerEntriesMax } from "../limits.ts";
import { done, type Outcome, refused } from "../refusal.ts";
import { isSealedBy, payloadType, seal } from "../trust/envelope.ts";
import { bytesEqual, keyBytes, type SigningKey, sha256 } from "../trust/key.ts";
import type { SaidTrust } from "../trust/said-trust.ts";
import { beatKeysOf, formerLedgerKeysOf, ledgerKeyOf, type Trusted } from "../trust/trusted.ts";
import { type LedgerNameLike, positionText } from "./position.ts";

/** A head whose signature and grant were checked, with the bytes it came in. */
export interface SignedHead {
  readonly envelope: Envelope;
  readonly head: Head;
  readonly position: Position;
  /** SHA-256 of the payload. */
  readonly hash: Uint8Array;
}

/** A beat whose signature and grant were checked. */
export interface SignedBeat {
  readonly envelope: Envelope;
  readonly beat: Beat;
  readonly issuedMs: number;
  readonly expiresMs: number;
}

/** Who may say so, and when it is said. */
export interface Judge {
  readonly trusted: Trusted;
  readonly wallMs: number;
}

export function signHead(of: {
  ledger: LedgerNameLike;
  position: { term: number; seq: number; digest: Uint8Array };
  previous: SignedHead | undefined;
  entriesCount: number;
  /** What the writer knows; absent: not said. */
  said?: SaidTrust;
  wallMs: number;
  key: SigningKey;
}): SignedHead {
  const head = create(HeadSchema, {
    ledger: { authority: of.ledger.authority, project: of.ledger.project },
    position: of.position,
    prevHeadHash: of.previous?.hash ?? new Uint8Array(0),
    entriesCount: of.entriesCount,
    issuedMs: BigInt(Math.floor(of.wallMs)),
    ...of.said,
  });
  const payload = toBinary(HeadSchema, head);
  return signed(seal({ type: payloadType.head, payload, keys: [of.key] }), head);
}

/** Checks form and ledger: for a head that was opened before it was stored, not for a stranger's. */
export function readHead(envelope: Envelope, ledger: LedgerNameLike): Outcome<SignedHead> {
  const head = parseHead(envelope);
  if (head?.ledger === undefined || head.position === undefined)
    return refused("invalid", "head: not a head");
  if (
    !bytesEqual(head.ledger.authority, ledger.authority) ||
    head.ledger.project !== ledger.project
  )
    return refused("invalid", "head: of another ledger");
  if (head.position.digest.length !== keyBytes || head.entriesCount > ledgerEntriesMax)
    return refused("invalid", "head: position or count out of bounds");
  if (envelope.payload.length > headBytesMax)
    return refused("limit", `head: more than ${headBytesMax} bytes`);
  return done(signed(envelope, head));
}

/** Checks form, ledger, clock, grant and signature, in that order: the cheap ones first. */
export function openHead(
  envelope: Envelope,
  ledger: LedgerNameLike,
  { trusted, wallMs }: Judge,
): Outcome<SignedHead> {
  const read = readHead(envelope, ledger);
  if (!read.ok) return read;
  const { head, position } = read.value;
  if (isFromFuture(Number(head.issuedMs), wallMs))
    return refused("invalid", "head: from the future", "Compare the clocks of the nodes.");
  const key = ledgerKeyOf(trusted, { term: position.term, wallMs });
  if (key === undefined)
    return refused("forbidden", `head: no grant for a ledger key of term ${position.term}`);
  if (!isSealedBy({ envelope, type: payloadType.head, keys: [key], threshold: 1 }))
    return refused("forbidden", `head: ${positionText(position)} is not signed by its ledger key`);
  return read;
}

/** One that has been believed before, and that nobody has a grant for any more. */
export function openFormerHead(
  envelope: Envelope,
  ledger: LedgerNameLike,
  trusted: Trusted,
): Outcome<SignedHead> {
  const read = readHead(envelope, ledger);
  if (!read.ok) return read;
  const { position } = read.value;
  const keys = formerLedgerKeysOf(trusted, position.term);
  if (!isSealedBy({ envelope, type: payloadType.head, keys, threshold: 1 }))
    return refused(
      "forbidden",
      `head: ${positionText(position)} is signed by no ledger key of its term, present or former`,
    );
  return read;
}

export function signBeat(of: {
  head: SignedHead;
  /** What the writer knows; absent: not said. */
  said?: SaidTrust;
  wallMs: number;
  key: SigningKey;
}): SignedBeat {
  const issued = Math.floor(of.wallMs);
  const beat = create(BeatSchema, {
    headHash: of.head.hash,
    issuedMs: BigInt(issued),
    expiresMs: BigInt(issued + beatExpiryMs),
    ...of.said,
  });
  const payload = toBinary(BeatSchema, beat);
  return beaten(seal({ type: payloadType.beat, payload, keys: [of.key] }), beat);
}

/** Checks form, clock, grant and signature; which head it is about is for the caller to see. */
export function openBeat(envelope: Envelope, { trusted, wallMs }: Judge): Outcome<SignedBeat> {
  const beat = parseBeat(envelope);
  if (beat === undefined) return refused("invalid", "beat: not a beat");
  if (envelope.payload.length > headBytesMax)
    return refused("limit", `beat: more than ${headBytesMax} bytes`);
  if (isFromFuture(Number(beat.issuedMs), wallMs))
    return refused("invalid", "beat: from the future", "Compare the clocks of the nodes.");
  const keys = beatKeysOf(trusted, wallMs);
  if (!isSealedBy({ envelope, type: payloadType.beat, keys, threshold: 1 }))
    return refused("forbidden", "beat: not signed by a beat key");
  return done(beaten(envelope, beat));
}

/** Further ahead than clocks may be apart: nobody takes it yet. */
export function isFromFuture(issuedMs: number, wallMs: number): boolean {
  return issuedMs > wallMs + clockSkewMsMax;
}

export function isAbout(beat: SignedBeat, head: SignedHead): boolean {
  return bytesEqual(beat.beat.headHash, head.hash);
}

function signed(envelope: Envelope, head: Head): SignedHead {
  if (head.position === undefined) throw new Error("a head without a position was signed");
  return { envelope, head, position: head.position, hash: sha256(envelope.payload) };
}

function beaten(envelope: Envelope, beat: Beat): SignedBeat {
  return {
    envelope,
    beat,
    issuedMs: Number(beat.issuedMs),
    expiresMs: Number(beat.expiresMs),
  };
}

function parseHead(envelope: Envelope): Head | undefined {
  try {
    return fromBinary(HeadSchema, envelope.payload);
  } catch {
    return undefined;
  }
}

function parseBeat(envelope: Envelope): Beat | undefined {
  try {
    return fromBinary(BeatSchema, envelope.payload);
  } catch {
    return undefined;
  }
}
