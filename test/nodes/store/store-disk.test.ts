import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { openStore } from "../../../nodes/store/store.ts";
import { mountSmallDisk } from "./small-disk.ts";
import { loaded, put } from "./store-contract.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

const isRoot = process.getuid?.() === 0;
const isPosix = process.platform !== "win32";

test("a full disk is said, loses nothing, and room again is all it takes", (context) => {
  const disk = temporaryDirectory();
  if (!mountSmallDisk(disk)) context.skip("only root can mount a small disk to fill");
  const directory = join(disk, "data");
  using store = openStore({ directory });
  const ballast = join(disk, "ballast");
  writeFileSync(ballast, Buffer.alloc(300_000));
  const value = "x".repeat(20_000);
  let count = 0;
  expect(() => {
    for (; ; count++) store.write([put("head", `${count}`, value), put("pin", `${count}`, value)]);
  }).toThrow(
    expect.objectContaining({
      kind: "unavailable",
      message: expect.stringContaining(`the disk that holds ${directory} is full`),
      hint: expect.stringContaining("Free some space"),
    }),
  );
  expect(count).toBeGreaterThan(0);
  expect(loaded(store)).toHaveLength(2 * count);

  rmSync(ballast);
  store.write([put("node", "after", "1")]);
  store[Symbol.dispose]();
  using again = openStore({ directory });
  expect(loaded(again)).toHaveLength(2 * count + 1);
});

test("a disk too full for a first start is said", (context) => {
  const disk = temporaryDirectory();
  if (!mountSmallDisk(disk)) context.skip("only root can mount a small disk to fill");
  expect(() => writeFileSync(join(disk, "ballast"), Buffer.alloc(2_000_000))).toThrow("ENOSPC");
  expect(() => openStore({ directory: join(disk, "data") })).toThrow(
    expect.objectContaining({ kind: "unavailable", message: expect.stringContaining("is full") }),
  );
});

test.skipIf(!isPosix)("a write that the system refuses is undone whole", () => {
  const directory = temporaryDirectory();
  // In blocks of 512 bytes: no file of the process may grow beyond 256 kB.
  const command = `ulimit -f 512; exec "$0" "$@"`;
  const { written } = reportOf("sh", ["-c", command, process.execPath, diskWriter, directory]);
  expect(written).toMatchObject({
    count: expect.any(Number),
    refusal: { kind: "unavailable", hint: expect.stringContaining("limits") },
  });
  const { count, records } = written as { count: number; records: number };
  expect(count).toBeGreaterThan(0);
  expect(records).toBe(2 * count);
  using store = openStore({ directory });
  expect(loaded(store)).toHaveLength(2 * count);
  store.write([put("node", "after", "1")]);
});

test.skipIf(!isPosix)("a directory without the right to write is refused with what to do", () => {
  const directory = join(enterableDirectory(), "data");
  mkdirSync(directory);
  chmodSync(directory, 0o555);
  expect(refusalOfPlainUser(directory)).toEqual({
    kind: "forbidden",
    message: expect.stringMatching(/data can not be read and written by user \d+$/),
    hint: expect.stringContaining("HEADWATER_DATA_DIR"),
  });
});

test.skipIf(!isPosix)("a directory that can not be made is refused with what to do", () => {
  const parent = join(enterableDirectory(), "parent");
  mkdirSync(parent);
  chmodSync(parent, 0o555);
  expect(refusalOfPlainUser(join(parent, "data"))).toMatchObject({ kind: "forbidden" });
});

const diskWriter = fileURLToPath(new URL("./disk-writer.ts", import.meta.url));

function enterableDirectory(): string {
  const directory = temporaryDirectory();
  chmodSync(directory, 0o755);
  return directory;
}

/** What a user is told to whom rights apply; root lends itself the number of nobody for it. */
function refusalOfPlainUser(directory: string): unknown {
  const user = isRoot ? ["65534"] : [];
  return reportOf(process.execPath, [diskWriter, directory, ...user])["refusal"];
}

function reportOf(command: string, args: readonly string[]): Record<string, unknown> {
  const { stdout, stderr } = system(command, args);
  expect(stderr).toBe("");
  return JSON.parse(stdout) as Record<string, unknown>;
}

function system(command: string, args: readonly string[]): SpawnSyncReturns<string> {
  return spawnSync(command, args, { encoding: "utf8" });
}
