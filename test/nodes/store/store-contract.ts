import fc from "fast-check";
import { expect, test } from "vitest";
import type { Store } from "../../../nodes/store/store.ts";
import type { Bucket, Write } from "../../../relay/effect.ts";
import { logRecordsOverMax, sentDocumentsMax } from "../../../relay/limits.ts";

/** What every store keeps to; `open` gives an empty one. */
export function storeContract(open: () => Store): void {
  test("loads nothing when nothing was written", () => {
    using store = open();
    expect(loaded(store)).toEqual([]);
  });

  test("loads what was written, the newest value of each key, by bucket and key", () => {
    using store = open();
    store.write([put("pin", "b", "1"), put("head", "z", "2"), put("pin", "a", "3")]);
    store.write([put("pin", "b", "4"), put("node", "\u{1f600}", "5"), put("node", "\uffee", "6")]);
    // By the bytes of UTF-8, in which U+FFEE comes before U+1F600; in UTF-16 it is the other way.
    expect(loaded(store)).toEqual([
      ["head", "z", "2"],
      ["node", "\uffee", "6"],
      ["node", "\u{1f600}", "5"],
      ["pin", "a", "3"],
      ["pin", "b", "4"],
    ]);
  });

  test("keeps bytes as they are, empty ones and large ones too", () => {
    using store = open();
    const everyByte = Uint8Array.from({ length: 256 }, (_, index) => index);
    const large = new Uint8Array(3_000_000).fill(7);
    // A view with an offset: only its own part counts.
    const view = large.subarray(1, 4);
    for (const [key, value] of Object.entries({ empty: new Uint8Array(), everyByte, large, view }))
      store.write([{ bucket: "key", key, value }]);
    const values = new Map([...store.load()].map(({ key, value }) => [key, value]));
    expect(values.get("empty")).toEqual(new Uint8Array());
    expect(values.get("everyByte")).toEqual(everyByte);
    expect(values.get("large")?.length).toBe(3_000_000);
    expect(values.get("view")).toEqual(new Uint8Array([7, 7, 7]));
  });

  test("gives one record, of its bucket alone", () => {
    using store = open();
    store.write([put("child", "a", "1"), put("child", "b", ""), put("pin", "a", "2")]);
    expect(store.get("child", "a")).toEqual(new Uint8Array(Buffer.from("1")));
    expect(store.get("child", "b")).toEqual(new Uint8Array());
    expect(store.get("pin", "b")).toBeUndefined();
    store.write([remove("child", "a")]);
    expect(store.get("child", "a")).toBeUndefined();
  });

  test("keeps its own copy of a value", () => {
    using store = open();
    const value = new Uint8Array([1]);
    store.write([{ bucket: "key", key: "a", value }]);
    value[0] = 2;
    expect([...store.load()][0]?.value).toEqual(new Uint8Array([1]));
  });

  test("deletes what a write without a value names, and is content when it is not there", () => {
    using store = open();
    store.write([put("child", "a", "1"), put("child", "b", "2")]);
    store.write([remove("child", "a"), remove("child", "never there"), remove("pin", "b")]);
    expect(loaded(store)).toEqual([["child", "b", "2"]]);
  });

  test("carries writes out in their order", () => {
    using store = open();
    store.write([
      put("pin", "a", "1"),
      remove("pin", "a"),
      remove("pin", "b"),
      put("pin", "b", "2"),
    ]);
    expect(loaded(store)).toEqual([["pin", "b", "2"]]);
  });

  test("ends up as a plain map would, whatever is written", () => {
    const writes = fc.record({
      bucket: fc.constantFrom<Bucket>("node", "pin", "entry"),
      key: fc.constantFrom("a", "b", "c d"),
      value: fc.option(fc.uint8Array({ maxLength: 3 }), { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.array(fc.array(writes, { maxLength: 6 }), { maxLength: 6 }), (batches) => {
        using store = open();
        const model = new Map<string, string>();
        for (const batch of batches) {
          store.write(batch);
          for (const { bucket, key, value } of batch) {
            if (value === undefined) model.delete(`${bucket}/${key}`);
            else model.set(`${bucket}/${key}`, String(value));
          }
        }
        const records = [...store.load()].map(({ bucket, key, value }): [string, string] => [
          `${bucket}/${key}`,
          String(value),
        ]);
        expect(records).toEqual([...model].toSorted(([a], [b]) => (a < b ? -1 : 1)));
      }),
      { numRuns: 30 },
    );
  });

  test("lists a log by prefix, highest key first, all of it by age, and does not load it", () => {
    using store = open();
    store.write([
      put("audit", "horizon/2", "h2"),
      put("audit", "nova/9", "n9"),
      put("audit", "horizon/1", "h1"),
      put("sent", "horizon/5", "another bucket"),
      put("audit", "horizon/3", "h3"),
      put("audit", "horizon-extra/4", "e4"),
    ]);
    const list = (prefix: string, limit: number): string[] =>
      store.list({ bucket: "audit", prefix, limit }).map(text);
    expect(list("horizon/", 10)).toEqual(["h3", "h2", "h1"]);
    expect(list("horizon/", 2)).toEqual(["h3", "h2"]);
    expect(list("horizon/2", 10)).toEqual(["h2"]);
    expect(list("", 10)).toEqual(["e4", "h3", "h1", "n9", "h2"]);
    expect(list("keystone/", 10)).toEqual([]);
    expect(loaded(store)).toEqual([]);
  });

  test("a log's record can be written anew and be deleted", () => {
    using store = open();
    store.write([put("sent", "a/1", "sent"), put("sent", "a/2", "sent")]);
    store.write([put("sent", "a/1", "accepted"), remove("sent", "a/2")]);
    expect(store.list({ bucket: "sent", prefix: "", limit: 10 }).map(text)).toEqual(["accepted"]);
  });

  test("an audit record is neither changed nor deleted", () => {
    using store = open();
    store.write([put("audit", "a/1", "as it was")]);
    store.write([put("audit", "a/1", "forged"), remove("audit", "a/1"), put("audit", "a/2", "b")]);
    expect(store.list({ bucket: "audit", prefix: "a/", limit: 10 }).map(text)).toEqual([
      "b",
      "as it was",
    ]);
  });

  test("cuts a log to its length, the oldest records first, whatever their keys", () => {
    using store = open();
    const count = sentDocumentsMax + 2 * logRecordsOverMax;
    const batchCount = 500;
    for (let start = 0; start < count; start += batchCount) {
      // Newer records sort before older ones, as those of another project may.
      const batch = Array.from({ length: batchCount }, (_, index) =>
        put("sent", String(10_000_000 - start - index), String(start + index)),
      );
      store.write([...batch, put("audit", `${start}`, "kept")]);
    }
    const kept = store
      .list({ bucket: "sent", prefix: "", limit: count })
      .map((v) => Number(text(v)));
    expect(kept.length).toBeGreaterThanOrEqual(sentDocumentsMax);
    expect(kept.length).toBeLessThanOrEqual(sentDocumentsMax + logRecordsOverMax);
    const oldest = count - kept.length;
    expect(kept.toSorted((a, b) => a - b)[0]).toBe(oldest);
    const audit = store.list({ bucket: "audit", prefix: "", limit: count });
    expect(audit).toHaveLength(count / batchCount);
  });
}

export function put(bucket: Bucket, key: string, value: string): Write {
  return { bucket, key, value: new TextEncoder().encode(value) };
}

function remove(bucket: Bucket, key: string): Write {
  return { bucket, key, value: undefined };
}

export function loaded(store: Store): [Bucket, string, string][] {
  return [...store.load()].map(({ bucket, key, value }) => [bucket, key, text(value)]);
}

function text(value: Uint8Array): string {
  return new TextDecoder().decode(value);
}
