import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type CacheContents, CacheFile, formatCache, readCache } from "../../sdk/cache-file.ts";
import { cacheBytesMax } from "../../sdk/limits.ts";
import { nodeFiles } from "../../sdk/node-files.ts";
import type { Files } from "../../sdk/runtime.ts";

const contents: CacheContents = {
  project: "horizon",
  version: "2.3.0",
  instance: "i-1",
  flags: [{ name: "a", basisPoints: 500, hash: 2, reason: "ROLLOUT" }],
  progress: 2n ** 64n - 1n,
  behindSinceMs: 1_700_000_000_000,
};

/** The least that is whole. */
const plain = { ...contents, format: 1, flags: undefined, progress: undefined };

describe("what is kept", () => {
  let dir: string;
  let path: string;

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), "headwater-cache-"));
    path = join(dir, "cache.json");
  });

  afterEach(() => rm(dir, { recursive: true }));

  test.each(["all of it", "no flags", "none yet"])(
    "is read as it was written: %s",
    async (what) => {
      const flags = { "all of it": contents.flags, "no flags": [] }[what];
      const kept = { ...contents, flags };
      await nodeFiles.write(path, formatCache(kept));
      expect(await readCache(nodeFiles, path)).toMatchObject(kept);
    },
  );

  test("is none where there is no file", async () => {
    expect(await readCache(nodeFiles, path)).toBeUndefined();
  });

  test("is none when it is cut short, anywhere", async () => {
    const text = formatCache(contents).trimEnd();
    for (let length = 0; length < text.length; length++) {
      await writeFile(path, text.slice(0, length));
      expect(await readCache(nodeFiles, path)).toBeUndefined();
    }
  });

  test.each([
    "null",
    "[]",
    '"text"',
    JSON.stringify({ ...plain, flags: {} }),
    JSON.stringify({ ...plain, progress: 8 }),
    JSON.stringify({ ...plain, behindSinceMs: "now" }),
    JSON.stringify({ ...plain, progress: "-1" }),
    JSON.stringify({ ...plain, progress: `${2n ** 64n}` }),
    JSON.stringify({ ...plain, format: 2 }),
    JSON.stringify({ ...plain, instance: "" }),
    JSON.stringify({ ...plain, instance: "i".repeat(201) }),
    JSON.stringify({ ...plain, version: 2.3 }),
    JSON.stringify({ ...plain, flags: [["a", 500, 2]] }),
    JSON.stringify({ ...plain, flags: [["a b", 500, 2, "OFF"]] }),
    JSON.stringify({ ...plain, flags: [["a", "500", 2, "OFF"]] }),
    JSON.stringify({ ...plain, flags: [["a", 500, 2, 0]] }),
  ])("is none when it is damaged: %s", async (text) => {
    await writeFile(path, text);
    expect(await readCache(nodeFiles, path)).toBeUndefined();
  });

  test("is none when it is longer than any that is ours", async () => {
    await writeFile(path, formatCache(contents) + " ".repeat(cacheBytesMax));
    expect(await readCache(nodeFiles, path)).toBeUndefined();
  });

  test("replaces the old whole, and leaves nothing beside it", async () => {
    await nodeFiles.write(path, "old");
    await nodeFiles.write(path, "new");
    expect(await readFile(path, "utf8")).toBe("new");
    expect(await readdir(dir)).toEqual(["cache.json"]);
  });

  test("is not written through a trap", async () => {
    const victim = join(dir, "victim");
    await writeFile(victim, "precious");
    await symlink(victim, `${path}.${process.pid}.new`);
    await nodeFiles.write(path, "new");
    expect(await readFile(victim, "utf8")).toBe("precious");
    expect(await readFile(path, "utf8")).toBe("new");
  });

  test("is written whole by each of two that write at once", async () => {
    for (let times = 0; times < 20; times++) {
      const texts = ["one".repeat(10_000), "two".repeat(10_000)];
      await Promise.all(texts.map((text) => nodeFiles.write(path, text)));
      expect(texts).toContain(await readFile(path, "utf8"));
      expect(await readdir(dir)).toEqual(["cache.json"]);
    }
  });

  test("leaves nothing behind where it can not be written", async () => {
    await mkdir(path);
    await expect(nodeFiles.write(path, "new")).rejects.toThrow("rename");
    expect(await readdir(dir)).toEqual(["cache.json"]);
  });
});

describe("writing", () => {
  let version = 0;
  let files: SlowFiles;
  const problems: unknown[] = [];

  class SlowFiles implements Files {
    readonly written: string[] = [];
    finish: (error?: Error) => void = () => {};

    async read(): Promise<undefined> {}

    async write(_: string, text: string): Promise<void> {
      this.written.push((JSON.parse(text) as { version: string }).version);
      await new Promise<void>((resolve, reject) => {
        this.finish = (error) => (error ? reject(error) : resolve());
      });
    }
  }

  function open(): CacheFile {
    return new CacheFile({
      files,
      path: "cache.json",
      contents: () => ({ ...contents, version: `${++version}` }),
      failed: (thrown) => problems.push(thrown),
      succeeded: () => problems.splice(0),
    });
  }

  beforeEach(() => {
    vi.useFakeTimers();
    version = 0;
    files = new SlowFiles();
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  test.each(["while the first is written", "after it"])(
    "is done at once, once more %s, then no faster than once a second",
    async (when) => {
      const cache = open();
      cache.save();
      if (when === "after it") files.finish();
      await vi.advanceTimersByTimeAsync(0);
      cache.save();
      files.finish();
      await vi.advanceTimersByTimeAsync(0);
      expect(files.written).toEqual(["1", "2"]);
      cache.save();
      cache.save();
      files.finish();
      await vi.advanceTimersByTimeAsync(999);
      expect(files.written).toEqual(["1", "2"]);
      await vi.advanceTimersByTimeAsync(1);
      expect(files.written).toEqual(["1", "2", "3"]);
      files.finish();
      await vi.advanceTimersByTimeAsync(10_000);
      expect(files.written).toEqual(["1", "2", "3"]);
    },
  );

  test("of what turns something off does not wait, so that no end of the process undoes it", async () => {
    const cache = open();
    for (let saves = 0; saves < 2; saves++) {
      cache.save();
      files.finish();
      await vi.advanceTimersByTimeAsync(0);
    }
    cache.save();
    await vi.advanceTimersByTimeAsync(0);
    expect(files.written).toEqual(["1", "2"]);
    cache.save({ atOnce: true });
    expect(files.written).toEqual(["1", "2", "3"]);
    cache.save({ atOnce: true });
    cache.save();
    expect(files.written).toEqual(["1", "2", "3"]);
    files.finish();
    await vi.advanceTimersByTimeAsync(0);
    expect(files.written).toEqual(["1", "2", "3", "4"]);
    files.finish();
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(files.written).toEqual(["1", "2", "3", "4"]);
  });

  test("of what is due is done before closing", async () => {
    const cache = open();
    cache.save();
    cache.save();
    const closed = cache.close();
    files.finish();
    await vi.advanceTimersByTimeAsync(0);
    expect(files.written).toEqual(["1", "2"]);
    files.finish();
    await closed;
    expect(vi.getTimerCount()).toBe(0);
  });

  test("that fails is a problem until it works", async () => {
    const cache = open();
    cache.save();
    files.finish(new Error("disk full"));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(problems).toHaveLength(1);
    cache.save();
    files.finish();
    await vi.advanceTimersByTimeAsync(0);
    expect(problems).toEqual([]);
  });

  test("that fails is tried again by itself, ever more seldom", async () => {
    const cache = open();
    cache.save();
    for (const waitMs of [1_000, 2_000, 4_000]) {
      const writesCount = files.written.length;
      files.finish(new Error("disk full"));
      await vi.advanceTimersByTimeAsync(waitMs - 1);
      expect(files.written).toHaveLength(writesCount);
      await vi.advanceTimersByTimeAsync(1);
      expect(files.written).toHaveLength(writesCount + 1);
    }
    files.finish();
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect([files.written.length, problems]).toEqual([4, []]);
  });

  test("that has failed is tried once more before closing", async () => {
    const cache = open();
    cache.save();
    files.finish(new Error("disk full"));
    await vi.advanceTimersByTimeAsync(500);
    const closed = cache.close();
    await vi.advanceTimersByTimeAsync(0);
    expect(files.written).toEqual(["1", "2"]);
    files.finish();
    await closed;
    expect(vi.getTimerCount()).toBe(0);
  });
});
