import { HeadwaterError } from "../../nodes/error.ts";
import { isLogBucket, logLengths } from "../../nodes/store/log-bucket.ts";
import type { Store } from "../../nodes/store/store.ts";
import type { StoredRecord } from "../../relay/durable.ts";
import type { Bucket, Write } from "../../relay/effect.ts";
import { logRecordsOverMax } from "../../relay/limits.ts";

/** What a disk held at some time. */
export type Backup = ReadonlyMap<Bucket, ReadonlyMap<string, Uint8Array>>;

/** A store whose disk is the heap: what survives a simulated crash is this object. */
export class MemoryStore implements Store {
  /** While true, writes fail as they do on a full disk. */
  isFull = false;
  readonly #records = new Map<Bucket, Map<string, Uint8Array>>();

  *load(): Iterable<StoredRecord> {
    for (const bucket of [...this.#records.keys()].toSorted(byBytes)) {
      if (isLogBucket(bucket)) continue;
      const records = [...this.#bucket(bucket)].toSorted(([a], [b]) => byBytes(a, b));
      for (const [key, value] of records) yield { bucket, key, value: value.slice() };
    }
  }

  write(writes: readonly Write[]): void {
    if (this.isFull) throw new HeadwaterError({ kind: "unavailable", message: "the disk is full" });
    for (const { bucket, key, value } of writes) {
      if (bucket === "audit" && (value === undefined || this.#bucket(bucket).has(key))) continue;
      if (value === undefined) this.#bucket(bucket).delete(key);
      else this.#bucket(bucket).set(key, value.slice());
    }
    for (const bucket of new Set(writes.map((write) => write.bucket))) this.#cut(bucket);
  }

  list(of: { bucket: Bucket; prefix: string; limit: number }): readonly Uint8Array[] {
    if (of.prefix === "")
      return [...this.#bucket(of.bucket).values()].toReversed().slice(0, of.limit);
    return [...this.#bucket(of.bucket)]
      .filter(([key]) => key.startsWith(of.prefix))
      .toSorted(([a], [b]) => byBytes(b, a))
      .slice(0, of.limit)
      .map(([, value]) => value.slice());
  }

  [Symbol.dispose](): void {}

  get(bucket: Bucket, key: string): Uint8Array | undefined {
    return this.#records.get(bucket)?.get(key);
  }

  keys(bucket: Bucket): string[] {
    return [...(this.#records.get(bucket)?.keys() ?? [])];
  }

  /** All of it as it is now, for `restore`. */
  backup(): Backup {
    return new Map([...this.#records].map(([bucket, records]) => [bucket, new Map(records)]));
  }

  restore(backup: Backup): void {
    this.#records.clear();
    for (const [bucket, records] of backup) this.#records.set(bucket, new Map(records));
  }

  /** One bit of a record is another from now on; SQLite would not notice. */
  flip(of: { bucket: Bucket; key: string; bit: number }): void {
    const value = this.get(of.bucket, of.key)?.slice();
    const at = (of.bit >> 3) % Math.max(1, value?.length ?? 1);
    if (value?.[at] === undefined) return;
    value[at] = (value[at] ?? 0) ^ (1 << (of.bit & 7));
    this.#bucket(of.bucket).set(of.key, value);
  }

  /** A map keeps the order of insertion, so its first records are the oldest. */
  #cut(bucket: Bucket): void {
    if (!isLogBucket(bucket)) return;
    const records = this.#bucket(bucket);
    const over = records.size - logLengths[bucket];
    if (over < logRecordsOverMax) return;
    for (const key of [...records.keys()].slice(0, over)) records.delete(key);
  }

  #bucket(bucket: Bucket): Map<string, Uint8Array> {
    const known = this.#records.get(bucket);
    if (known !== undefined) return known;
    const made = new Map<string, Uint8Array>();
    this.#records.set(bucket, made);
    return made;
  }
}

/** As SQLite sorts text: by the bytes of its UTF-8. */
function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
