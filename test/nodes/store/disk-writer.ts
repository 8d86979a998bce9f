// A process that opens the store of a directory and writes until the disk refuses, then says what
// it was told and what is stored, as one line of JSON.
import { HeadwaterError } from "../../../nodes/error.ts";
import { openStore, type Store } from "../../../nodes/store/store.ts";

const [, , directory = "", user] = process.argv;
if (user !== undefined) process.setuid?.(Number(user));
const report: Record<string, unknown> = {};
try {
  using store = openStore({ directory });
  report["written"] = writeUntilRefused(store);
} catch (error) {
  report["refusal"] = describe(error);
}
process.stdout.write(`${JSON.stringify(report)}\n`);

/** Each write is two records of 20 kB; both are there or none. */
function writeUntilRefused(store: Store): unknown {
  for (let count = 0; ; count++) {
    const value = new Uint8Array(20_000).fill(count);
    const key = String(count).padStart(9, "0");
    try {
      store.write([
        { bucket: "head", key, value },
        { bucket: "pin", key, value },
      ]);
    } catch (error) {
      const keys = [...store.load()].map((record) => `${record.bucket}/${record.key}`);
      return { count, records: keys.length, refusal: describe(error) };
    }
  }
}

function describe(error: unknown): unknown {
  const { kind, message, hint } = HeadwaterError.from(error);
  return { kind, message, hint };
}
