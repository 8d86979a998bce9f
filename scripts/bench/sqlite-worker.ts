// The floor of a commit: one row in a database of the same kind, synced.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { openDatabase } from "../../nodes/store/database.ts";
import { serveVerbs } from "./worker.ts";

const directory = mkdtempSync(join(tmpdir(), "headwater-bench-"));
const database = openDatabase(directory);
const put = database.prepare("INSERT OR REPLACE INTO record VALUES ('bench', 'key', ?)");
process.once("exit", () => rmSync(directory, { recursive: true, force: true }));

serveVerbs({
  /** Milliseconds of one commit. */
  commit: ({ bytesCount }: { bytesCount: number }): number => {
    const begunMs = performance.now();
    put.run(Buffer.alloc(bytesCount, 1));
    return performance.now() - begunMs;
  },
});
