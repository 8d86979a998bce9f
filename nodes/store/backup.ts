import { createReadStream, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { chunkBytesMax } from "../../relay/limits.ts";
import { prepareDataDirectory } from "./data-directory.ts";
import { databaseFile } from "./database.ts";
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
}): AsyncGenerator<Piece> {
  prepareDataDirectory(of.directory);
  const draft = mkdtempSync(join(of.directory, "backup-"));
  try {
    const database = join(draft, databaseFile);
    await of.store.copyTo(database);
    yield* piecesOf(databaseFile, database);
    for (const [name, path] of Object.entries(of.files)) yield* piecesOf(name, path);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

async function* piecesOf(file: string, path: string): AsyncGenerator<Piece> {
  yield { file };
  for await (const bytes of createReadStream(path, { highWaterMark: chunkBytesMax }))
    yield { bytes: bytes as Buffer };
}
