import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { Position } from "../../gen/headwater/v1/ledger_pb.ts";
import {
  HeartbeatSchema,
  type Holding,
  type ReplicateResponse,
  ReplicateResponseSchema,
} from "../../gen/headwater/v1/mesh_pb.ts";
import { snapshotKeptMs } from "../cadence.ts";
import { deltaSince } from "../ledger/delta.ts";
import { isAbout, openBeat, type SignedBeat, type SignedHead } from "../ledger/head.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { comparePositions, positionText, samePosition } from "../ledger/position.ts";
import { snapshotOf } from "../ledger/snapshot.ts";
import { snapshotsLiveMax } from "../limits.ts";
import { isSealedBy, payloadType } from "../trust/envelope.ts";
import { bytesEqual, toHex } from "../trust/key.ts";
import {
  beatKeysOf,
  ledgerKeyOf,
  type Trusted,
  trustDigest,
  trustMessage,
} from "../trust/trusted.ts";

/** A whole ledger at one position, ready to be sent. */
export interface EncodedSnapshot {
  readonly position: Position;
  readonly frames: readonly Uint8Array[];
}

/** Positions that children are brought forward from at one time; most share the last one. */
const deltasKeptMax = 32;

/** The frames of one ledger, each encoded once for all who get it. */
export class LedgerFrames {
  readonly #ledger: Ledger;
  readonly #deltas = new Map<string, Uint8Array | undefined>();
  /** The last that was asked for: with each change nearly all children ask for the same. */
  #lastDelta: { readonly from: Position; readonly bytes: Uint8Array | undefined } | undefined;
  #head: SignedHead | undefined;
  #granted: Judged | undefined;
  /** What was last found of a head against the key of its term. */
  #key: CheckedKey | undefined;
  #beatGranted: (Judged & { readonly beat: SignedBeat }) | undefined;
  /** The time by which grants are judged; undefined before the first look at the clock. */
  #wallMs: number | undefined;
  #snapshots: readonly EncodedSnapshot[] = [];
  /** Since when nobody has wanted a snapshot; undefined while somebody does. */
  #idleSinceMonoMs: number | undefined;
  #trusted: Trusted | undefined;
  #trustUpdate: Uint8Array | undefined;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  /** Now and then: grants end by their date as well. */
  look(wallMs: number): void {
    this.#wallMs = wallMs;
  }

  /** Whether its head may go on: one whose grant has ended would be refused below. */
  get isGranted(): boolean {
    this.#renew();
    const { trusted, head } = this.#ledger;
    const wallMs = this.#wallMs ?? Number(head?.head.issuedMs ?? 0);
    if (!isJudged(this.#granted, trusted, wallMs))
      this.#granted = { by: trusted, wallMs, is: this.#isSignedByItsKey(wallMs) };
    return this.#granted?.is === true;
  }

  /** Its term may have been given to another key since: what the former has signed is over. */
  #isSignedByItsKey(wallMs: number): boolean {
    const { trusted, head } = this.#ledger;
    if (head === undefined || trusted === undefined) return false;
    const key = ledgerKeyOf(trusted, { term: head.position.term, wallMs });
    if (key === undefined) return false;
    const known = this.#key;
    if (known?.head === head && bytesEqual(known.key, key)) return known.isItsOwn;
    // One of before would be refused, whatever follows it.
    if (known !== undefined && !bytesEqual(known.key, key)) this.#snapshots = [];
    const isItsOwn = isSealedBy({
      envelope: head.envelope,
      type: payloadType.head,
      keys: [key],
      threshold: 1,
    });
    this.#key = { head, key, isItsOwn };
    return isItsOwn;
  }

  /** The beat, if it is about the head and may go on: it would bar the whole ledger below. */
  get beat(): SignedBeat | undefined {
    const { beat, head, trusted } = this.#ledger;
    if (beat === undefined || head === undefined || !isAbout(beat, head)) return undefined;
    const wallMs = this.#wallMs ?? beat.issuedMs;
    const known = this.#beatGranted;
    if (known?.beat !== beat || !isJudged(known, trusted, wallMs))
      this.#beatGranted = { beat, by: trusted, wallMs, is: isBeatGranted(beat, trusted, wallMs) };
    return this.#beatGranted?.is === true ? beat : undefined;
  }

  /** From a position to now; undefined when only a snapshot will do. */
  delta(from: Position): Uint8Array | undefined {
    this.#renew();
    if (this.#lastDelta?.from !== from) this.#lastDelta = { from, bytes: this.#deltaFrom(from) };
    return this.#lastDelta.bytes;
  }

  #deltaFrom(from: Position): Uint8Array | undefined {
    const key = `${positionText(from)} ${toHex(from.digest)}`;
    if (this.#deltas.has(key)) return this.#deltas.get(key);
    const value = deltaSince(this.#ledger, from);
    const bytes = value === undefined ? undefined : encodeFrame({ case: "delta", value });
    if (this.#deltas.size >= deltasKeptMax) this.#deltas.clear();
    this.#deltas.set(key, bytes);
    return bytes;
  }

  /**
   * A snapshot for all who need one. It may be older than the ledger, as long as one delta leads
   * from it to now: so it is built once for many commits, and a storm shares it.
   */
  snapshot(): EncodedSnapshot | undefined {
    this.#renew();
    this.#idleSinceMonoMs = undefined;
    const newest = this.#snapshots.at(-1);
    if (newest !== undefined && this.#leadsToNow(newest)) return newest;
    const snapshot = snapshotOf(this.#ledger);
    if (snapshot === undefined) return undefined;
    const { position } = snapshot;
    const frames = snapshot.frames.map((frame) => toBinary(ReplicateResponseSchema, frame));
    const built = { position, frames };
    this.#snapshots = [...this.#snapshots, built].slice(-snapshotsLiveMax);
    return built;
  }

  /** The snapshot that a child is being sent; undefined when it is kept no longer. */
  snapshotAt(position: Position): EncodedSnapshot | undefined {
    return this.#snapshots.find((one) => samePosition(one.position, position));
  }

  /** Called while no child is in mid-snapshot: after a while all of them are forgotten. */
  idle(monoMs: number): void {
    if (this.#snapshots.length === 0) return;
    this.#idleSinceMonoMs ??= monoMs;
    if (monoMs - this.#idleSinceMonoMs >= snapshotKeptMs) this.#snapshots = [];
  }

  #leadsToNow({ position }: EncodedSnapshot): boolean {
    const now = this.#ledger.position;
    if (now === undefined || now.term !== position.term) return false;
    return samePosition(position, now) || this.delta(position) !== undefined;
  }

  trust(): Uint8Array | undefined {
    const { trusted, name } = this.#ledger;
    if (trusted === undefined) return undefined;
    if (this.#trusted !== trusted) {
      this.#trusted = trusted;
      const ledger = { authority: name.authority, project: name.project };
      const value = { ledger, trust: trustMessage(trusted) };
      this.#trustUpdate = toBinary(
        ReplicateResponseSchema,
        create(ReplicateResponseSchema, { frame: { case: "trustUpdate", value } }),
      );
    }
    return this.#trustUpdate;
  }

  /** Nothing of a former head is used again. */
  #renew(): void {
    if (this.#head === this.#ledger.head) return;
    this.#head = this.#ledger.head;
    this.#deltas.clear();
    this.#lastDelta = undefined;
    this.#granted = undefined;
  }
}

interface CheckedKey {
  readonly head: SignedHead;
  readonly key: Uint8Array;
  readonly isItsOwn: boolean;
}

/** What was found of a grant, by whose word and at what time. */
interface Judged {
  readonly by: Trusted | undefined;
  readonly wallMs: number;
  readonly is: boolean;
}

function isJudged(known: Judged | undefined, by: Trusted | undefined, wallMs: number): boolean {
  return known !== undefined && known.by === by && known.wallMs === wallMs;
}

/** It was checked when it came: only where a key has ended since is it to be checked again. */
function isBeatGranted(beat: SignedBeat, trusted: Trusted | undefined, wallMs: number): boolean {
  if (trusted === undefined) return false;
  const [then, now] = [beat.issuedMs, wallMs].map((at) => beatKeysOf(trusted, at).length);
  if (then === now) return true;
  return openBeat(beat.envelope, { trusted, wallMs: Math.max(beat.issuedMs, wallMs) }).ok;
}

export function encodeFrame(frame: ReplicateResponse["frame"]): Uint8Array {
  const message = create(ReplicateResponseSchema);
  message.frame = frame;
  return toBinary(ReplicateResponseSchema, message);
}

/** What brings somebody who holds less to what is held here, in the order in which to apply it. */
export function framesAfter(
  { ledger, frames }: { readonly ledger: Ledger; readonly frames: LedgerFrames },
  holding: Pick<Holding, "position" | "trustDigest">,
): ReplicateResponse[] {
  const { position, name } = ledger;
  const out: Uint8Array[] = [];
  const trust = frames.trust();
  if (trust !== undefined && !bytesEqual(holding.trustDigest, trustDigest(ledger.trusted)))
    out.push(trust);
  if (position === undefined || !frames.isGranted) return out.map(decodeFrame);
  const held = holding.position;
  if (held === undefined || comparePositions(position, held) > 0)
    out.push(...entriesAfter(frames, held, position));
  const { beat } = frames;
  if (beat !== undefined) {
    const ledgerName = { authority: name.authority, project: name.project };
    const beats = [{ ledger: ledgerName, beat: beat.envelope }];
    out.push(encodeFrame({ case: "heartbeat", value: create(HeartbeatSchema, { beats }) }));
  }
  return out.map(decodeFrame);
}

function entriesAfter(
  frames: LedgerFrames,
  held: Position | undefined,
  now: Position,
): readonly Uint8Array[] {
  const delta = held === undefined ? undefined : frames.delta(held);
  if (delta !== undefined) return [delta];
  const snapshot = frames.snapshot();
  if (snapshot === undefined) return [];
  const rest = samePosition(snapshot.position, now) ? undefined : frames.delta(snapshot.position);
  return rest === undefined ? snapshot.frames : [...snapshot.frames, rest];
}

function decodeFrame(bytes: Uint8Array): ReplicateResponse {
  return fromBinary(ReplicateResponseSchema, bytes);
}
