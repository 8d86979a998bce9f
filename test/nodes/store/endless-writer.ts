// A process that writes pairs of records without end, and says the number of each write that was
// acknowledged. It goes on where the last one was killed.
import { writeSync } from "node:fs";
import { openStore } from "../../../nodes/store/store.ts";

const store = openStore({ directory: process.argv[2] ?? "" });
let count = [...store.load()].filter(({ bucket }) => bucket === "pin").length;
for (;;) {
  const key = String(count).padStart(9, "0");
  const value = new Uint8Array(2_000).fill(count);
  store.write([
    { bucket: "head", key, value },
    { bucket: "pin", key, value },
  ]);
  writeSync(1, `${count}\n`);
  count++;
}
