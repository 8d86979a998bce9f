import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import type { BackupPiece } from "../../../nodes/admin/operator-service.ts";
import { mountSmallDisk } from "../store/small-disk.ts";
import { temporaryDirectory } from "../store/temporary-directory.ts";
import { openFakeAdmin } from "./fake-admin.ts";
import type { FakeTerminal } from "./fake-terminal.ts";

/** A busy machine needs it. */
const within = { timeout: 20_000, interval: 5 };

async function terminalOf(pieces: readonly BackupPiece[]): Promise<FakeTerminal> {
  const backup = async function* () {
    yield* pieces;
  };
  return (await openFakeAdmin({ operators: { backup } })).terminal;
}

const small: readonly BackupPiece[] = [
  { file: "headwater.db" },
  { bytes: Buffer.from("data") },
  { bytes: Buffer.from("base") },
  { file: "site.secret" },
  { bytes: Buffer.from("secret") },
];

test("a backup is whole, and beside it nothing is made or taken away", async () => {
  const directory = temporaryDirectory();
  const mine = join(directory, "safe.part");
  mkdirSync(mine);
  writeFileSync(join(mine, "mine"), "kept");
  const terminal = await terminalOf(small);
  const { code, stdout } = await terminal.run("backup", join(directory, "safe"));
  expect(code).toBe(0);
  expect(stdout).toContain("holds headwater.db and site.secret");
  expect(readFileSync(join(directory, "safe", "headwater.db"), "utf8")).toBe("database");
  expect(readFileSync(join(mine, "mine"), "utf8")).toBe("kept");
  expect(readdirSync(directory).sort()).toEqual(["safe", "safe.part"]);
});

test("a directory may be written with a slash at its end", async () => {
  const directory = temporaryDirectory();
  const terminal = await terminalOf(small);
  const { code, stderr } = await terminal.run("backup", join(directory, "below", "safe/"));
  expect([code, stderr]).toEqual([0, ""]);
  expect(readdirSync(join(directory, "below", "safe"))).toEqual(["headwater.db", "site.secret"]);
});

test("a disk that takes a part of it only is said, and holds no backup", async (context) => {
  const disk = temporaryDirectory();
  if (!mountSmallDisk(disk)) context.skip("only root can mount a small disk to fill");
  const terminal = await terminalOf([
    { file: "headwater.db" },
    { bytes: Buffer.alloc(900_000) },
    { bytes: Buffer.alloc(300_000) },
  ]);
  const { code, stderr } = await terminal.run("backup", join(disk, "safe"));
  expect(code).not.toBe(0);
  expect(stderr).toContain("no space left");
  expect(readdirSync(disk)).toEqual([]);
  expect(existsSync(join(disk, "safe"))).toBe(false);
});

test("one that is interrupted leaves no part of the node's keys behind", async () => {
  const directory = temporaryDirectory();
  let isUnderWay = false;
  const backup = async function* (_: unknown, { signal }: { signal: AbortSignal }) {
    yield* small;
    isUnderWay = true;
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
  };
  const { terminal } = await openFakeAdmin({ operators: { backup } });
  const running = terminal.run("backup", join(directory, "safe"));
  await vi.waitUntil(() => isUnderWay && readdirSync(directory).length > 0, within);
  terminal.interruption.abort();
  expect(await running).toMatchObject({ code: 1, stderr: "interrupted, and nothing was kept" });
  expect(readdirSync(directory)).toEqual([]);
});
