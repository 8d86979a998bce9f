import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { damagedRecord } from "../../../nodes/store/damaged-record.ts";
import { openStore } from "../../../nodes/store/store.ts";
import { dayMs } from "../../../relay/cadence.ts";
import type { StoredRecord } from "../../../relay/durable.ts";
import type { Bucket } from "../../../relay/effect.ts";
import { flagEntry } from "../../relay/layers/entries.ts";
import { rootNode, SteppedNode } from "../../relay/stepped-node.ts";
import { busyNode } from "../busy-node.ts";
import { readEverything } from "../every-read.ts";
import { assertServed } from "../honest-mesh.ts";
import { assertEffects, refusedBy } from "../refusals.ts";
import { type Target, textOf, type Verdict } from "../target.ts";
import { encodeWire, parseWire, type WireField } from "../wire-tree.ts";

/** A record as fields 1 to 3 of a message, and all of them as field 1 of one. */
function encodeRecords(records: Iterable<StoredRecord>): Uint8Array {
  const fields = Array.from(
    records,
    ({ bucket, key, value }): WireField => ({
      field: 1,
      value: {
        kind: "message",
        fields: [Buffer.from(bucket), Buffer.from(key), value].map((bytes, index) => ({
          field: index + 1,
          value: { kind: "bytes", bytes },
        })),
      },
    }),
  );
  return encodeWire(fields);
}

function decodeRecords(input: Uint8Array): StoredRecord[] {
  return (parseWire(input, Number.POSITIVE_INFINITY) ?? []).flatMap(({ value }) => {
    if (value.kind !== "bytes") return [];
    const fields = parseWire(value.bytes, Number.POSITIVE_INFINITY) ?? [];
    const of = (number: number): Uint8Array => {
      const found = fields.findLast(({ field }) => field === number)?.value;
      return found?.kind === "bytes" ? found.bytes : new Uint8Array(0);
    };
    return { bucket: textOf(of(1)) as Bucket, key: textOf(of(2)), value: Uint8Array.from(of(3)) };
  });
}

/** A node that has written all that it can. */
function richNode(): SteppedNode {
  const node = busyNode();
  for (let day = 0; day < 3; day++) node.wait(dayMs);
  node.addChild("plant");
  return node;
}

/** A node starts on these records, or says that they are damaged; it never serves what nobody signed. */
function startOn(node: SteppedNode): Verdict {
  try {
    node.restart();
  } catch (thrown) {
    // As the driver has it.
    return refusedBy(damagedRecord(node.stored.values(), thrown));
  }
  readEverything(node);
  assertEffects(node.wait(dayMs));
  readEverything(node);
  return node.node.reads.damaged().length > 0 ? "refused" : "accepted";
}

/** Records of the store that are no longer what was written. */
export const records: Target = {
  name: "stored records",
  form: "wire",
  share: 4,
  seeds: () => {
    const rich = richNode();
    const root = rootNode({}, "oslo");
    root.commit(flagEntry("alpha", { basisPoints: 5 }), "oslo");
    const all = [...rich.stored.values()];
    const buckets = new Set(all.map(({ bucket }) => bucket));
    const each = [...buckets].map((one) => all.filter(({ bucket }) => bucket === one));
    return [all, [...root.stored.values()], ...each].map(encodeRecords);
  },
  open: () => {
    const { settings } = busyNode();
    return (input) => {
      const node = new SteppedNode(settings);
      for (const record of decodeRecords(input))
        node.stored.set(`${record.bucket} ${record.key}`, record);
      const verdict = startOn(node);
      assertServed(node);
      return verdict;
    };
  },
};

/** The file that the store is: a damaged page is found, or what is on it is. */
export const storeFiles: Target = {
  name: "store files",
  form: "bytes",
  share: 2,
  seeds: () => [fileOf(richNode()), fileOf(rootNode({}, "oslo"))],
  open: () => {
    const { settings } = busyNode();
    const directory = mkdtempSync(join(tmpdir(), "headwater-fuzz-"));
    process.once("exit", () => rmSync(directory, { recursive: true, force: true }));
    return (input) => {
      rmSync(directory, { recursive: true, force: true });
      openStore({ directory })[Symbol.dispose]();
      writeFileSync(join(directory, "headwater.db"), input);
      const node = new SteppedNode(settings);
      try {
        using store = openStore({ directory });
        for (const record of store.load())
          node.stored.set(`${record.bucket} ${record.key}`, record);
        store.list({ bucket: "sent", prefix: "", limit: 10 });
        store.write([{ bucket: "node", key: "x", value: new Uint8Array(1) }]);
      } catch (thrown) {
        return refusedBy(thrown);
      }
      return startOn(node);
    };
  },
};

function fileOf(node: SteppedNode): Uint8Array {
  const directory = mkdtempSync(join(tmpdir(), "headwater-fuzz-"));
  {
    using store = openStore({ directory });
    store.write([...node.stored.values()]);
  }
  const bytes = readFileSync(join(directory, "headwater.db"));
  rmSync(directory, { recursive: true, force: true });
  return new Uint8Array(bytes);
}
