import { closeSync, openSync } from "node:fs";
import { backup, type DatabaseSync, type StatementSync } from "node:sqlite";
import type { StoredRecord } from "../../relay/durable.ts";
import { type Bucket, logBuckets, type Write } from "../../relay/effect.ts";
import { logRecordsOverMax } from "../../relay/limits.ts";
import { openDatabase } from "./database.ts";
import { removeDrafts } from "./drafts.ts";
import { isLogBucket, type LogBucket, logLengths } from "./log-bucket.ts";
import { storeError } from "./store-error.ts";

/** So many commits, of a few pages each, are in the write-ahead log when it is emptied. */
const commitsPerCheckpoint = 100;

/** Records of the audit that one statement appends. */
const appendedAtOnce = 100;

/** The durable state of one node. Every failure is a `HeadwaterError`. */
export interface Store extends Disposable {
  /** All but the log buckets, by bucket and key; to be read to its end before the next write. */
  load(): Iterable<StoredRecord>;
  /** One record that is in no log bucket; undefined when there is none. */
  get(bucket: Bucket, key: string): Uint8Array | undefined;
  /**
   * All of it or nothing, and durable once this returns. The store stays usable after a failure.
   * Log buckets keep at least their newest records up to their length, and at most
   * `logRecordsOverMax` more.
   * @throws HeadwaterError `unavailable` when the disk is full, read-only or failing
   */
  write(writes: readonly Write[]): void;
  /** Values of a log bucket whose key starts with the prefix, highest key first; of all, newest first. */
  list(of: { bucket: Bucket; prefix: string; limit: number }): readonly Uint8Array[];
}

/** A store whose state is a file. */
export interface FileStore extends Store {
  /**
   * A consistent copy, made while the store is used, in a file that does not exist yet.
   * @throws HeadwaterError `unavailable` when the disk is full or failing
   */
  copyTo(file: string): Promise<void>;
}

/**
 * Opens the store in a data directory, which is made when there is none, and locks it for the
 * life of the process.
 * @throws HeadwaterError `busy` when another node has it, `forbidden`, `invalid` or `unavailable`
 *   when the directory can not be used, `damaged` when what is in it can not be read
 */
export function openStore(of: { directory: string }): FileStore {
  const database = openDatabase(of.directory);
  try {
    removeDrafts(of.directory);
    return new SqliteStore(database, of.directory);
  } catch (error) {
    database.close();
    throw storeError(error, of.directory);
  }
}

class SqliteStore implements FileStore {
  readonly #database: DatabaseSync;
  readonly #directory: string;
  readonly #statements: Statements;
  /** Records appended since the last cut. */
  readonly #appendedCounts: Record<LogBucket, number> = {
    sent: 0,
    sample: 0,
    audit: 0,
    decision: 0,
  };
  #commitsCount = 0;
  #checkpoint: NodeJS.Immediate | undefined;

  constructor(database: DatabaseSync, directory: string) {
    this.#database = database;
    this.#directory = directory;
    this.#statements = prepareStatements(database);
    // A process that never lives long enough to append many would never cut.
    this.#transact(() => logBuckets.forEach((bucket) => this.#cut(bucket)));
  }

  *load(): Iterable<StoredRecord> {
    try {
      for (const row of this.#statements.load.iterate()) yield row as unknown as StoredRecord;
    } catch (error) {
      throw storeError(error, this.#directory);
    }
  }

  get(bucket: Bucket, key: string): Uint8Array | undefined {
    const row = this.#attempt(() => this.#statements.get.get(bucket, key));
    return row && valueOf(row);
  }

  write(writes: readonly Write[]): void {
    const counts = this.#appendedWith(writes);
    const grown = logBuckets.filter((bucket) => counts[bucket] >= logRecordsOverMax);
    this.#attempt(() =>
      this.#transact(() => {
        for (const write of writes) if (write.bucket !== "audit") this.#apply(write);
        this.#append(writes.filter(({ bucket }) => bucket === "audit"));
        for (const bucket of grown) this.#cut(bucket);
      }),
    );
    for (const bucket of logBuckets)
      this.#appendedCounts[bucket] = grown.includes(bucket) ? 0 : counts[bucket];
    this.#checkpointSoon();
  }

  list(of: { bucket: Bucket; prefix: string; limit: number }): readonly Uint8Array[] {
    const { bucket, prefix, limit } = of;
    if (prefix === "")
      return this.#attempt(() => this.#statements.newest.all(bucket, limit)).map(valueOf);
    // `glob` and `like` have wildcards; a range does not. No key holds the last code point.
    const [from, to] = [prefix, `${prefix}\u{10ffff}`];
    const rows = this.#attempt(() => this.#statements.list.all(bucket, from, to, limit));
    return rows.map(valueOf);
  }

  async copyTo(file: string): Promise<void> {
    try {
      // It is made with the mode of the process, and what is in it is as secret as the store.
      closeSync(openSync(file, "wx", 0o600));
      await backup(this.#database, file);
    } catch (error) {
      throw storeError(error, this.#directory);
    }
  }

  [Symbol.dispose](): void {
    clearImmediate(this.#checkpoint);
    if (this.#database.isOpen) this.#database.close();
  }

  #apply({ bucket, key, value }: Write): void {
    const { put, remove } = isLogBucket(bucket) ? this.#statements.log : this.#statements.record;
    if (value === undefined) remove.run(bucket, key);
    else put.run(bucket, key, value);
  }

  /**
   * What stands in the audit is neither changed nor taken out, but for its oldest when it is cut. One
   * statement notes once which age comes next: for many records it takes half of the time.
   */
  #append(writes: readonly Write[]): void {
    const { append, appendMany } = this.#statements;
    const records = writes.flatMap(({ key, value }) => (value === undefined ? [] : [[key, value]]));
    const singles = records.splice(records.length - (records.length % appendedAtOnce));
    for (let at = 0; at < records.length; at += appendedAtOnce)
      appendMany.run(...records.slice(at, at + appendedAtOnce).flat());
    for (const record of singles) append.run(...record);
  }

  #appendedWith(writes: readonly Write[]): Record<LogBucket, number> {
    const counts = { ...this.#appendedCounts };
    for (const { bucket } of writes) if (isLogBucket(bucket)) counts[bucket]++;
    return counts;
  }

  #cut(bucket: LogBucket): void {
    this.#statements.cut.run(bucket, bucket, logLengths[bucket]);
  }

  /** It takes several syncs: whoever waits for a commit does not wait for them. */
  #checkpointSoon(): void {
    if (++this.#commitsCount % commitsPerCheckpoint !== 0) return;
    this.#checkpoint = setImmediate(() => {
      try {
        this.#database.exec("PRAGMA wal_checkpoint(PASSIVE)");
      } catch {
        // What has been committed is durable in the log, and a later one empties it.
      }
    });
  }

  #transact(work: () => void): void {
    const { begin, commit } = this.#statements;
    begin.run();
    try {
      work();
      commit.run();
    } catch (error) {
      // Some failures have rolled back already, and then a second time is an error of its own.
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw error;
    }
  }

  #attempt<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw storeError(error, this.#directory);
    }
  }
}

function valueOf(row: Record<string, unknown>): Uint8Array {
  return row["value"] as Uint8Array;
}

type Statements = ReturnType<typeof prepareStatements>;

function prepareStatements(database: DatabaseSync): {
  begin: StatementSync;
  commit: StatementSync;
  load: StatementSync;
  get: StatementSync;
  list: StatementSync;
  newest: StatementSync;
  append: StatementSync;
  appendMany: StatementSync;
  cut: StatementSync;
  record: { put: StatementSync; remove: StatementSync };
  log: { put: StatementSync; remove: StatementSync };
} {
  return {
    begin: database.prepare("BEGIN IMMEDIATE"),
    commit: database.prepare("COMMIT"),
    load: database.prepare("SELECT bucket, key, value FROM record ORDER BY bucket, key"),
    get: database.prepare("SELECT value FROM record WHERE bucket = ? AND key = ?"),
    list: database.prepare(
      `SELECT value FROM log WHERE bucket = ? AND key >= ? AND key < ?
       ORDER BY key DESC LIMIT ?`,
    ),
    newest: database.prepare("SELECT value FROM log WHERE bucket = ? ORDER BY age DESC LIMIT ?"),
    append: appendStatement(database, 1),
    appendMany: appendStatement(database, appendedAtOnce),
    // By age, not by key: keys of one project sort before all those of another.
    cut: database.prepare(
      `DELETE FROM log WHERE bucket = ? AND age <=
         (SELECT age FROM log WHERE bucket = ? ORDER BY age DESC LIMIT 1 OFFSET ?)`,
    ),
    record: writeStatements(database, "record"),
    log: writeStatements(database, "log"),
  };
}

function appendStatement(database: DatabaseSync, recordsCount: number): StatementSync {
  const rows = Array.from({ length: recordsCount }, () => "('audit', ?, ?)");
  return database.prepare(
    `INSERT INTO log (bucket, key, value) VALUES ${rows.join(", ")} ON CONFLICT DO NOTHING`,
  );
}

function writeStatements(
  database: DatabaseSync,
  table: string,
): { put: StatementSync; remove: StatementSync } {
  return {
    put: database.prepare(
      `INSERT INTO ${table} (bucket, key, value) VALUES (?, ?, ?)
       ON CONFLICT (bucket, key) DO UPDATE SET value = excluded.value`,
    ),
    remove: database.prepare(`DELETE FROM ${table} WHERE bucket = ? AND key = ?`),
  };
}
