import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { Position } from "../../gen/headwater/v1/ledger_pb.ts";
import {
  HeartbeatSchema,
  type Holding,
  type ReplicateResponse,
  ReplicateResponseSchema,
} from "../../gen/headwater/v1/mesh_pb.ts";
import { deltaSince } from "../ledger/delta.ts";
import { isAbout, type SignedHead } from "../ledger/head.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { comparePositions, positionText } from "../ledger/position.ts";
import { snapshotOf } from "../ledger/snapshot.ts";
import { bytesEqual, toHex } from "../trust/key.ts";
import { type Trusted, trustDigest, trustMessage } from "../trust/trusted.ts";

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
  #head: SignedHead | undefined;
  #snapshot: EncodedSnapshot | undefined;
  #trusted: Trusted | undefined;
  #trustUpdate: Uint8Array | undefined;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  /** From a position to now; undefined when only a snapshot will do. */
  delta(from: Position): Uint8Array | undefined {
    this.#renew();
    const key = `${positionText(from)} ${toHex(from.digest)}`;
    if (this.#deltas.has(key)) return this.#deltas.get(key);
    const value = deltaSince(this.#ledger, from);
    const bytes = value === undefined ? undefined : encodeFrame({ case: "delta", value });
    if (this.#deltas.size >= deltasKeptMax) this.#deltas.clear();
    this.#deltas.set(key, bytes);
    return bytes;
  }

  snapshot(): EncodedSnapshot | undefined {
    this.#renew();
    if (this.#snapshot === undefined) {
      const snapshot = snapshotOf(this.#ledger);
      this.#snapshot = snapshot && {
        position: snapshot.position,
        frames: snapshot.frames.map((frame) => toBinary(ReplicateResponseSchema, frame)),
      };
    }
    return this.#snapshot;
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

  /** Nothing encoded for a former head is used again; children in mid-snapshot hold their own. */
  #renew(): void {
    if (this.#head === this.#ledger.head) return;
    this.#head = this.#ledger.head;
    this.#deltas.clear();
    this.#snapshot = undefined;
  }
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
  const { position, beat, head, name } = ledger;
  const out: Uint8Array[] = [];
  const trust = frames.trust();
  if (trust !== undefined && !bytesEqual(holding.trustDigest, trustDigest(ledger.trusted)))
    out.push(trust);
  if (position === undefined) return out.map(decodeFrame);
  const held = holding.position;
  if (held === undefined || comparePositions(position, held) > 0) {
    const delta = held === undefined ? undefined : frames.delta(held);
    out.push(...(delta === undefined ? (frames.snapshot()?.frames ?? []) : [delta]));
  }
  if (beat !== undefined && head !== undefined && isAbout(beat, head)) {
    const ledgerName = { authority: name.authority, project: name.project };
    const beats = [{ ledger: ledgerName, beat: beat.envelope }];
    out.push(encodeFrame({ case: "heartbeat", value: create(HeartbeatSchema, { beats }) }));
  }
  return out.map(decodeFrame);
}

function decodeFrame(bytes: Uint8Array): ReplicateResponse {
  return fromBinary(ReplicateResponseSchema, bytes);
}
