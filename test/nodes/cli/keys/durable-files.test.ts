import type * as fileSystem from "node:fs";
import { mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { writeSecretFile } from "../../../../nodes/cli/keys/key-file.ts";
import { SecretFiles } from "../../../../nodes/cli/keys/secret-files.ts";
import { temporaryDirectory } from "../../store/temporary-directory.ts";

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

test.skipIf(process.platform === "win32")(
  "the name of a secret is durable as well as what is in it",
  () => {
    const directory = join(temporaryDirectory(), "keys");
    mkdirSync(directory);
    const { ino } = statSync(directory);
    const files = new SecretFiles(new Map([[join(directory, "root.key"), "secret"]]), "pending");
    expect(synced.splice(0).at(-1)).toBe(ino);
    files.keep();
    expect(synced.splice(0)).toEqual([ino]);
    writeSecretFile(join(directory, "other.key"), "secret");
    expect(synced.at(-1)).toBe(ino);
  },
);
