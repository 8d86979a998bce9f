import type * as Promises from "node:fs/promises";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { nodeFiles } from "../../sdk/node-files.ts";

vi.setConfig({ testTimeout: 60_000 });

const hung = vi.hoisted(() => ({ paths: [] as string[] }));

vi.mock("node:fs/promises", async (original) => {
  const real = await original<typeof Promises>();
  const open: typeof real.open = (path, ...rest) => {
    if (!String(path).includes("away")) return real.open(path, ...rest);
    hung.paths.push(String(path));
    return new Promise<never>(() => {});
  };
  return { ...real, open };
});

test("a file that hangs, as on a disk that is away, holds up no other", async () => {
  const dir = await mkdtemp(join(tmpdir(), "headwater-files-"));
  onTestFinished(() => rm(dir, { recursive: true }));
  void nodeFiles.write(join(dir, "away.json"), "flags");
  await vi.waitFor(() => expect(hung.paths).toHaveLength(1), { timeout: 20_000 });
  await nodeFiles.write(join(dir, "here.json"), "flags");
  expect(await readFile(join(dir, "here.json"), "utf8")).toBe("flags");
  void nodeFiles.write(join(dir, "sub", "..", "away.json"), "flags");
  await nodeFiles.write(join(dir, "here.json"), "later flags");
  expect(await readdir(dir)).toEqual(["here.json"]);
  expect(hung.paths).toHaveLength(1);
});
