import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { backupPieces } from "../../../nodes/store/backup.ts";
import { openStore } from "../../../nodes/store/store.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

test("a copy that a node was making when it was killed is gone after the next start", async () => {
  const directory = temporaryDirectory();
  const store = openStore({ directory });
  const pieces = backupPieces({ store, directory, files: {}, atMs: 0 });
  await pieces.next();
  const during = readdirSync(directory).filter((name) => name.includes("backup"));
  expect(during).toHaveLength(1);
  store[Symbol.dispose]();
  // An operator's own, whatever it is called, is not ours to take away.
  mkdirSync(join(directory, "backup-monday"));
  using again = openStore({ directory });
  expect([...again.load()]).toEqual([]);
  expect(readdirSync(directory).filter((name) => name.includes("backup"))).toEqual([
    "backup-monday",
  ]);
});
