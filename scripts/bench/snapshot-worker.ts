// The floor of a cold start: parse, hash, verify and write so many flags, once, and nothing else.
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { FlagSchema } from "../../gen/headwater/v1/flag_pb.ts";
import { type SnapshotChunk, SnapshotChunkSchema } from "../../gen/headwater/v1/mesh_pb.ts";
import { openDatabase } from "../../nodes/store/database.ts";
import { HASH_VERSION } from "../../relay/flag/bucket.ts";
import { SetDigest } from "../../relay/ledger/digest.ts";
import { entryHash } from "../../relay/ledger/entry.ts";
import { isSignedBy, SigningKey, sha256 } from "../../relay/trust/key.ts";
import { scratchDirectory } from "./scratch.ts";
import { serveVerbs } from "./worker.ts";

const entriesPerChunk = 500;

/** Frames of so many flags and the signature of their hash, base64. */
export interface Snapshot {
  readonly frames: readonly string[];
  readonly signature: string;
}

const key = new SigningKey(sha256(Buffer.from("bench")));

serveVerbs({
  /** Made in another process than the one that takes it, whose code has not run by then. */
  make: ({ flagsCount }: { flagsCount: number }): Snapshot => snapshotOf(flagsCount),
  /** Milliseconds that it takes. */
  take: (snapshot: Snapshot): number => {
    const frames = snapshot.frames.map((frame) => Buffer.from(frame, "base64"));
    const signature = Buffer.from(snapshot.signature, "base64");
    const begunMs = performance.now();
    const entries = frames.flatMap((frame) => fromBinary(SnapshotChunkSchema, frame).entries);
    const { digest } = SetDigest.of(entries.map(entryHash));
    if (!isSignedBy({ publicKey: key.publicKey, message: digest, signature }))
      throw new Error("the signature is wrong");
    write(entries);
    for (const { value } of entries) fromBinary(FlagSchema, value);
    return performance.now() - begunMs;
  },
});

function snapshotOf(flagsCount: number): Snapshot {
  const entries = Array.from({ length: flagsCount }, (_, n) => {
    const flag = create(FlagSchema, { name: `flag-${n}`, basisPoints: 1_000, hash: HASH_VERSION });
    return { key: `flag/${flag.name}`, value: toBinary(FlagSchema, flag) };
  });
  const { digest } = SetDigest.of(entries.map(entryHash));
  const frames: string[] = [];
  for (let at = 0; at < flagsCount; at += entriesPerChunk) {
    const chunk = create(SnapshotChunkSchema, { entries: entries.slice(at, at + entriesPerChunk) });
    frames.push(base64(toBinary(SnapshotChunkSchema, chunk)));
  }
  return { frames, signature: base64(key.sign(digest)) };
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}

function write(entries: SnapshotChunk["entries"]): void {
  const database = openDatabase(scratchDirectory());
  const put = database.prepare("INSERT INTO record VALUES ('entry', ?, ?)");
  database.exec("BEGIN");
  for (const { key: name, value } of entries) put.run(name, value);
  database.exec("COMMIT");
}
