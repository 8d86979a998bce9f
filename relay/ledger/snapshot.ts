import { create } from "@bufbuild/protobuf";
import type { Entry, Envelope, Position } from "../../gen/headwater/v1/ledger_pb.ts";
import {
  type ReplicateResponse,
  ReplicateResponseSchema,
  type SnapshotBegin,
  type SnapshotChunk,
} from "../../gen/headwater/v1/mesh_pb.ts";
import { chunkBytesMax, ledgerBytesMax, ledgerEntriesMax } from "../limits.ts";
import { done, type Outcome, type Refusal, refused } from "../refusal.ts";
import { type Heard, standing, withoutItsTrust } from "./delta.ts";
import { entryProblem, entrySize } from "./entry.ts";
import { type Judge, openHead } from "./head.ts";
import type { Ledger } from "./ledger.ts";

/** A whole ledger as frames, all at one position, shared by every child that needs it. */
export interface Snapshot {
  readonly position: Position;
  readonly frames: readonly ReplicateResponse[];
}

export function snapshotOf(ledger: Ledger): Snapshot | undefined {
  if (ledger.head === undefined) return undefined;
  const name = { authority: ledger.name.authority, project: ledger.name.project };
  const chunks = chunked([...ledger.entries].map(([key, { value }]) => ({ key, value })));
  const begin = {
    ledger: name,
    head: ledger.head.envelope,
    entriesCount: ledger.entries.size,
    entriesBytes: BigInt(ledger.bytes),
    chunksCount: chunks.length,
  };
  const frames = [
    create(ReplicateResponseSchema, { frame: { case: "snapshotBegin", value: begin } }),
    ...chunks.map((entries, index) =>
      create(ReplicateResponseSchema, {
        frame: { case: "snapshotChunk", value: { ledger: name, index, entries } },
      }),
    ),
    create(ReplicateResponseSchema, { frame: { case: "snapshotEnd", value: { ledger: name } } }),
  ];
  return { position: ledger.head.position, frames };
}

function chunked(
  entries: readonly { key: string; value: Uint8Array }[],
): { key: string; value: Uint8Array }[][] {
  const chunks: { key: string; value: Uint8Array }[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const entry of entries) {
    const size = entrySize(entry);
    if (bytes + size > chunkBytesMax) {
      chunks.push([]);
      bytes = 0;
    }
    chunks.at(-1)?.push(entry);
    bytes += size;
  }
  return chunks;
}

/** A snapshot on its way in: nothing of it counts before all of it is there and checks. */
export class SnapshotAssembly {
  readonly #ledger: Ledger;
  readonly #begin: SnapshotBegin;
  readonly #head: Envelope;
  readonly #entries: Entry[] = [];
  #chunks = 0;
  #bytes = 0;

  private constructor(ledger: Ledger, begin: SnapshotBegin, head: Envelope) {
    this.#ledger = ledger;
    this.#begin = begin;
    this.#head = head;
  }

  /** Checks the head's signature first, so that only what an authority signed takes memory. */
  static open(ledger: Ledger, begin: SnapshotBegin, judge: Judge): Outcome<SnapshotAssembly> {
    if (begin.head === undefined) return refused("invalid", "snapshot: without a head");
    const head = openHead(begin.head, ledger.name, judge);
    if (!head.ok) return head;
    if (
      begin.entriesCount !== head.value.head.entriesCount ||
      begin.entriesCount > ledgerEntriesMax
    )
      return refused("invalid", "entries_count: not what the head has signed");
    if (begin.entriesBytes > BigInt(ledgerBytesMax))
      return refused("limit", `entries_bytes: more than ${ledgerBytesMax}`);
    if (begin.chunksCount > begin.entriesCount)
      return refused("invalid", "chunks_count: more chunks than entries");
    return done(new SnapshotAssembly(ledger, begin, begin.head));
  }

  add(chunk: SnapshotChunk): Refusal | undefined {
    if (chunk.index !== this.#chunks || chunk.index >= this.#begin.chunksCount)
      return refused("invalid", `index: chunk ${chunk.index}, expected ${this.#chunks}`).refusal;
    this.#chunks++;
    for (const entry of chunk.entries) {
      const problem = entryProblem(entry);
      if (problem !== undefined) return problem;
      this.#bytes += entrySize(entry);
      this.#entries.push(entry);
    }
    const tooMuch =
      this.#bytes > Number(this.#begin.entriesBytes) ||
      this.#entries.length > this.#begin.entriesCount;
    return tooMuch
      ? refused("invalid", "snapshot: more entries than it began with").refusal
      : undefined;
  }

  /**
   * The whole is taken iff it is newer than what is held and exactly what its head has signed. The
   * grant of the head may have ended while parts of it came.
   */
  end(judge: Judge): Outcome<Heard> {
    if (this.#chunks !== this.#begin.chunksCount)
      return refused("invalid", `snapshot: ended after ${this.#chunks} chunks`);
    const head = openHead(this.#head, this.#ledger.name, judge);
    if (!head.ok) return head;
    const held = this.#ledger.head;
    if (held !== undefined) {
      const against = standing(held, head.value);
      if (!against.ok || against.value !== "newer")
        return against.ok ? done({ kind: "known" }) : against;
    }
    const unready = withoutItsTrust(head.value, judge);
    if (unready !== undefined) return done(unready);
    const staged = this.#ledger.stageWhole(this.#entries);
    if (!staged.ok) return staged;
    const change = this.#ledger.changeTo(head.value, staged.value);
    return change.ok ? done({ kind: "change", change: change.value }) : change;
  }
}
