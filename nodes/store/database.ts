import { chmodSync, closeSync, openSync, statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { HeadwaterError } from "../error.ts";
import { prepareDataDirectory } from "./data-directory.ts";
import { storeError } from "./store-error.ts";

export const databaseFile = "headwater.db";

/** "HdWt" in ASCII: SQLite's `application_id`, by which `file` and we know whose database it is. */
const applicationId = 0x48645774;

/** SQLite's `user_version`. A database of another version is not touched. */
const schemaVersion = 1;

const schema = `
  CREATE TABLE record (
    bucket TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL,
    PRIMARY KEY (bucket, key)
  ) WITHOUT ROWID;
  CREATE TABLE log (
    age INTEGER PRIMARY KEY AUTOINCREMENT,
    bucket TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL,
    UNIQUE (bucket, key)
  );
  CREATE INDEX log_age ON log (bucket, age);
  PRAGMA application_id = ${applicationId};
  PRAGMA user_version = ${schemaVersion};
`;

/**
 * Opens and locks the database of a data directory. The lock lives until the database is closed;
 * it is one of POSIX, so that opening and closing the file by other means would lose it.
 */
export function openDatabase(directory: string): DatabaseSync {
  prepareDataDirectory(directory);
  const path = join(directory, databaseFile);
  let database: DatabaseSync | undefined;
  try {
    makePrivate(path);
    database = new DatabaseSync(path, { timeout: 0 });
    takeLock(database);
    checkIdentity(database, path);
    makeDurable(database);
    return database;
  } catch (error) {
    database?.close();
    throw storeError(error, directory);
  }
}

/** SQLite gives the files that it makes beside a database the mode of the database. */
function makePrivate(path: string): void {
  const mode = statSync(path, { throwIfNoEntry: false })?.mode;
  if (mode === undefined) closeSync(openSync(path, "wx", 0o600));
  else if ((mode & 0o077) !== 0) chmodSync(path, 0o600);
}

/** In this mode a lock that was taken is kept. Taking it changes nothing, whosever database it is. */
function takeLock(database: DatabaseSync): void {
  database.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; COMMIT");
}

/**
 * Pages of the write-ahead log, 16 MiB, at which the commit that writes the last of them moves all of
 * it into the database. The store does that before, when nobody waits for a commit.
 */
const logPagesMax = 4_000;

/** With a write-ahead log a commit is one sync, and FULL is what makes it one. */
function makeDurable(database: DatabaseSync): void {
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
  database.exec(`PRAGMA wal_autocheckpoint = ${logPagesMax}`);
}

function checkIdentity(database: DatabaseSync, path: string): void {
  const id = pragma(database, "application_id");
  const version = pragma(database, "user_version");
  if (id === 0 && version === 0 && isEmpty(database)) {
    database.exec(`BEGIN; ${schema} COMMIT`);
    return;
  }
  if (id !== applicationId)
    throw new HeadwaterError({
      kind: "damaged",
      message: `${path} is a database, but not one of Headwater`,
      hint: "Set HEADWATER_DATA_DIR to a directory that only this node uses.",
    });
  if (version !== schemaVersion)
    throw new HeadwaterError({
      kind: "damaged",
      message: `${path} has format ${version}; this version reads format ${schemaVersion}`,
      hint: "Run the version of Headwater that last used it, or a newer one.",
    });
}

function isEmpty(database: DatabaseSync): boolean {
  return database.prepare("SELECT 1 FROM sqlite_schema LIMIT 1").get() === undefined;
}

function pragma(database: DatabaseSync, name: "application_id" | "user_version"): number {
  return Number(database.prepare(`PRAGMA ${name}`).get()?.[name]);
}
