import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, closeSync, openSync, statSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { DatabaseSync } from "node:sqlite";
import { setImmediate } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { openStore } from "../../../nodes/store/store.ts";
import { loaded, put, storeContract } from "./store-contract.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

describe("on SQLite", () => {
  storeContract(() => openStore({ directory: temporaryDirectory() }));
});

test("what was written is there when it is opened again", () => {
  const directory = temporaryDirectory();
  using first = openStore({ directory });
  first.write([put("pin", "a", "1"), put("audit", "a/1", "x")]);
  first[Symbol.dispose]();
  using second = openStore({ directory });
  expect(loaded(second)).toEqual([["pin", "a", "1"]]);
  expect(second.list({ bucket: "audit", prefix: "a/", limit: 1 })).toHaveLength(1);
});

test("what stands in the audit stays as it is, however many are appended at once", () => {
  using store = openStore({ directory: temporaryDirectory() });
  const keys = Array.from({ length: 250 }, (_, n) => `a/${String(n).padStart(3, "0")}`);
  store.write([put("audit", "a/007", "first")]);
  store.write(keys.map((key) => put("audit", key, `later ${key}`)));
  const held = store.list({ bucket: "audit", prefix: "a/", limit: 1_000 });
  const expected = keys.map((key) => (key === "a/007" ? "first" : `later ${key}`)).reverse();
  expect(held.map((value) => Buffer.from(value).toString())).toEqual(expected);
});

test("writes all of a step or nothing of it, and goes on", () => {
  using store = openStore({ directory: temporaryDirectory() });
  store.write([put("pin", "a", "1")]);
  const keyless = { ...put("pin", "", "2"), key: null as unknown as string };
  expect(() => store.write([put("pin", "a", "2"), put("pin", "b", "2"), keyless])).toThrow(
    expect.objectContaining({ name: "HeadwaterError" }),
  );
  expect(loaded(store)).toEqual([["pin", "a", "1"]]);
  store.write([put("pin", "b", "3")]);
  expect(loaded(store)).toEqual([
    ["pin", "a", "1"],
    ["pin", "b", "3"],
  ]);
});

test("its log is emptied into the database between commits, and does not grow", async () => {
  const directory = temporaryDirectory();
  using store = openStore({ directory });
  const logBytesAfter = async (commitsCount: number): Promise<number> => {
    for (let n = 0; n < commitsCount; n++) store.write([put("pin", "a", String(n))]);
    await setImmediate();
    await setImmediate();
    return statSync(join(directory, "headwater.db-wal")).size;
  };
  const atFirst = await logBytesAfter(100);
  for (let round = 0; round < 4; round++)
    expect(await logBytesAfter(100)).toBeLessThan(1.5 * atFirst);
});

test("only its owner can enter the directory that it makes, and read its files", () => {
  const directory = join(temporaryDirectory(), "made", "for it");
  using store = openStore({ directory });
  store.write([put("key", "a", "secret")]);
  expect(modeOf(directory)).toBe(0o700);
  expect(modeOf(join(directory, "headwater.db"))).toBe(0o600);
  expect(modeOf(join(directory, "headwater.db-wal"))).toBe(0o600);
});

test("takes rights back that others have on its file", () => {
  const directory = temporaryDirectory();
  openStore({ directory })[Symbol.dispose]();
  chmodSync(join(directory, "headwater.db"), 0o644);
  using _store = openStore({ directory });
  expect(modeOf(join(directory, "headwater.db"))).toBe(0o600);
});

test("a second node in the same process is told that the directory is taken", () => {
  const directory = temporaryDirectory();
  using _first = openStore({ directory });
  expect(() => openStore({ directory })).toThrow(taken(directory));
  // The failed attempt must not have lost the lock of the first.
  expect(() => openStore({ directory })).toThrow(taken(directory));
});

test("a second process is told that the directory is taken, until the first has ended", async () => {
  const directory = temporaryDirectory();
  const child = spawn(process.execPath, [writer, directory, "1"], { stdio: childStdio });
  await once(createInterface(child.stdout), "line");
  expect(() => openStore({ directory })).toThrow(taken(directory));
  child.kill("SIGKILL");
  await once(child, "close");
  using store = openStore({ directory });
  expect(loaded(store)).toHaveLength(2);
});

test("every write that was acknowledged survives kill -9, and none is there by half", async () => {
  const directory = temporaryDirectory();
  let acknowledged = -1;
  for (let round = 0; round < 4; round++) {
    const lastOfRound = acknowledged + 20 + round * 37;
    acknowledged = await killOnceAcknowledged(directory, lastOfRound);
    using store = openStore({ directory });
    const records = loaded(store);
    const lefts = records.filter(([bucket]) => bucket === "head").map(([, key]) => Number(key));
    const rights = records.filter(([bucket]) => bucket === "pin").map(([, key]) => Number(key));
    expect(lefts).toEqual(rights);
    // Without a gap from the first to the last acknowledged; more may be there.
    expect(lefts.length).toBeGreaterThan(acknowledged);
    expect(lefts).toEqual(lefts.map((_, index) => index));
    acknowledged = lefts.length - 1;
  }
});

test("a database of something else is left as it is", () => {
  const directory = temporaryDirectory();
  const path = join(directory, "headwater.db");
  const other = new DatabaseSync(path);
  other.exec("CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1)");
  other.close();
  expect(() => openStore({ directory })).toThrow(
    expect.objectContaining({
      kind: "damaged",
      message: `${path} is a database, but not one of Headwater`,
      hint: expect.stringContaining("HEADWATER_DATA_DIR"),
    }),
  );
  const again = new DatabaseSync(path);
  expect(again.prepare("SELECT x FROM theirs").get()).toEqual({ x: 1 });
  expect(again.prepare("PRAGMA journal_mode").get()).toEqual({ journal_mode: "delete" });
  again.close();
});

test("a database of a newer version is left as it is", () => {
  const directory = temporaryDirectory();
  openStore({ directory })[Symbol.dispose]();
  const path = join(directory, "headwater.db");
  const newer = new DatabaseSync(path);
  newer.exec("PRAGMA user_version = 99");
  newer.close();
  expect(() => openStore({ directory })).toThrow(
    expect.objectContaining({
      kind: "damaged",
      message: expect.stringContaining("has format 99; this version reads format 1"),
      hint: expect.stringContaining("newer"),
    }),
  );
});

test("a file that is no database is said to be damaged", () => {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, "headwater.db"), "not a database at all, only text\n".repeat(99));
  expect(() => openStore({ directory })).toThrow(damaged(directory));
});

test("pages that were overwritten are said to be damaged, not taken for an empty store", () => {
  const directory = temporaryDirectory();
  using store = openStore({ directory });
  store.write(Array.from({ length: 500 }, (_, index) => put("entry", `${index}`, "x".repeat(999))));
  store[Symbol.dispose]();
  const path = join(directory, "headwater.db");
  // The first page, which says whose database it is, stays; all that follows is lost.
  const file = openSync(path, "r+");
  writeSync(file, Buffer.alloc(statSync(path).size - 4096, 0xa5), 0, undefined, 4096);
  closeSync(file);
  expect(() => {
    using opened = openStore({ directory });
    loaded(opened);
  }).toThrow(damaged(directory));
});

test("a path that is a file is refused, and so is one below a file", () => {
  const file = join(temporaryDirectory(), "file");
  writeFileSync(file, "");
  for (const directory of [file, join(file, "below")])
    expect(() => openStore({ directory })).toThrow(
      expect.objectContaining({
        kind: "invalid",
        message: expect.stringContaining(directory),
        hint: expect.stringContaining("HEADWATER_DATA_DIR"),
      }),
    );
});

const childStdio: ["ignore", "pipe", "inherit"] = ["ignore", "pipe", "inherit"];
const writer = fileURLToPath(new URL("./endless-writer.ts", import.meta.url));

/** Resolves with the last write that the child could acknowledge before it was killed. */
async function killOnceAcknowledged(directory: string, last: number): Promise<number> {
  const child = spawn(process.execPath, [writer, directory], { stdio: childStdio });
  let acknowledged = -1;
  for await (const line of createInterface(child.stdout)) {
    acknowledged = Number(line);
    if (acknowledged >= last) child.kill("SIGKILL");
  }
  return acknowledged;
}

function taken(directory: string): unknown {
  return expect.objectContaining({
    kind: "busy",
    message: expect.stringContaining(`another node has its data in ${directory}`),
    hint: expect.stringContaining("HEADWATER_DATA_DIR"),
  });
}

function damaged(directory: string): unknown {
  return expect.objectContaining({
    kind: "damaged",
    message: expect.stringContaining(`the database in ${directory} is damaged`),
    hint: expect.stringContaining("backup"),
  });
}

function modeOf(path: string): number {
  return statSync(path).mode & 0o777;
}
