import { createReadStream, rmSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { chunkBytesMax } from "../../relay/limits.ts";
import { copyMark } from "../../relay/old-copy.ts";
import { prepareDataDirectory } from "./data-directory.ts";
import { databaseFile } from "./database.ts";
import { makeDraft } from "./drafts.ts";
import type { FileStore } from "./store.ts";

/** A piece of a file; a name starts the next one. */
interface Piece {
  readonly file?: string;
  readonly bytes?: Uint8Array;
}

/**
 * A copy of a data directory as pieces: the database as it is at one moment, and further files by
 * the names that they are to have. The node goes on meanwhile.
 * @throws HeadwaterError `unavailable` when there is no room for the copy
 */
export async function* backupPieces(of: {
  store: FileStore;
  directory: string;
  files: Readonly<Record<string, string>>;
  /** Wall-clock milliseconds, for whoever starts a node on it. */
  atMs: number;
}): AsyncGenerator<Piece> {
  prepareDataDirectory(of.directory);
  const draft = makeDraft(of.directory);
  try {
    const database = join(draft, databaseFile);
    await of.store.copyTo(database);
    markAsCopy(database, of.atMs);
    yield* piecesOf(databaseFile, database);
    for (const [name, path] of Object.entries(of.files)) yield* piecesOf(name, path);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

/** A node that is started on it knows that others may hold something newer. */
function markAsCopy(path: string, atMs: number): void {
  const database = new DatabaseSync(path);
  try {
    const { bucket, key } = copyMark;
    database
      .prepare("INSERT OR REPLACE INTO record (bucket, key, value) VALUES (?, ?, ?)")
      .run(bucket, key, Buffer.from(new Date(atMs).toISOString()));
  } finally {
    database.close();
  }
}

async function* piecesOf(file: string, path: string): AsyncGenerator<Piece> {
  yield { file };
  for await (const bytes of createReadStream(path, { highWaterMark: chunkBytesMax }))
    yield { bytes: bytes as Buffer };
}
