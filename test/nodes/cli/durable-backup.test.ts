import type * as fileSystem from "node:fs";
import { mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { temporaryDirectory } from "../store/temporary-directory.ts";
import { openFakeAdmin } from "./fake-admin.ts";

/** Inodes that were made durable, in order. */
const synced = vi.hoisted((): number[] => []);

vi.mock("node:fs", async (original) => {
  const fs = await original<typeof fileSystem>();
  const fsyncSync = (descriptor: number): void => {
    synced.push(fs.fstatSync(descriptor).ino);
    fs.fsyncSync(descriptor);
  };
  return { ...fs, fsyncSync };
});

test.skipIf(process.platform === "win32")("the names of a backup are durable as well", async () => {
  const directory = join(temporaryDirectory(), "mnt");
  mkdirSync(directory);
  const backup = async function* () {
    yield { file: "headwater.db" };
    yield { bytes: Buffer.from("database") };
  };
  const { terminal } = await openFakeAdmin({ operators: { backup } });
  const safe = join(directory, "safe");
  expect((await terminal.run("backup", safe)).code).toBe(0);
  const inodes = [join(safe, "headwater.db"), safe, directory].map((path) => statSync(path).ino);
  expect(synced).toEqual(inodes);
});
