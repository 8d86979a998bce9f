// A process that writes pairs of records without end, and says the number of each write that was
// acknowledged. It goes on where the last one was killed. With a second argument it rests after so
// many, and keeps the store open.
import { writeSync } from "node:fs";
import { openStore } from "../../../nodes/store/store.ts";

const [, , directory = "", restAfter] = process.argv;
const store = openStore({ directory });
let count = [...store.load()].filter(({ bucket }) => bucket === "pin").length;
while (count !== Number(restAfter)) {
  const key = String(count).padStart(9, "0");
  const value = new Uint8Array(2_000).fill(count);
  store.write([
    { bucket: "head", key, value },
    { bucket: "pin", key, value },
  ]);
  writeSync(1, `${count}\n`);
  count++;
}
setInterval(() => store, 60_000);
