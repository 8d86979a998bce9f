import { expect, test, vi } from "vitest";
import { openStore } from "../../../nodes/store/store.ts";
import type { Bucket } from "../../../relay/effect.ts";
import { put } from "./store-contract.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

/** A hundred thousand records would say no more than a few. */
const small = vi.hoisted(() => ({
  auditRecordsMax: 5,
  sentDocumentsMax: 4,
  fleetSamplesMax: 3,
  decisionsCountMax: 2,
  logRecordsOverMax: 3,
}));
vi.mock("../../../relay/limits.ts", async (actual) => ({ ...(await actual<object>()), ...small }));

test.each<[Bucket, number]>([
  ["audit", small.auditRecordsMax],
  ["sent", small.sentDocumentsMax],
  ["sample", small.fleetSamplesMax],
  ["decision", small.decisionsCountMax],
])("of the log %s so many records are kept, the newest", (bucket, most) => {
  const directory = temporaryDirectory();
  const kept = (write: (append: (n: number) => void) => void): string[] => {
    using store = openStore({ directory });
    write((n) => store.write([put(bucket, `${n}`, `${n}`)]));
    const values = store.list({ bucket, prefix: "", limit: 100 });
    return values.map((value) => Buffer.from(value).toString());
  };
  const all = kept((append) => {
    for (let n = 1; n <= most; n++) append(n);
  });
  expect(all).toHaveLength(most);
  expect(kept(() => {})).toEqual(all);
  expect(kept((append) => append(most + 1))).toHaveLength(most + 1);
  expect(kept(() => {})).toEqual([`${most + 1}`, ...all.slice(0, -1)]);
  const over = kept((append) => {
    for (let n = 2; n <= small.logRecordsOverMax + 1; n++) append(most + n);
  });
  expect(over).toHaveLength(most);
  expect(over.at(-1)).toBe(`${small.logRecordsOverMax + 2}`);
});
