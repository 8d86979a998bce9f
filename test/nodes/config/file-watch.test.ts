import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { watchFiles } from "../../../nodes/config/file-watch.ts";

/** A watched file in a directory of its own, and what is called when it has changed. */
function watched() {
  const root = mkdtempSync(join(tmpdir(), "headwater-test-"));
  const directory = join(root, "tls");
  const file = join(directory, "tls.crt");
  mkdirSync(directory);
  writeFileSync(file, "one");
  const stop = new AbortController();
  onTestFinished(() => {
    stop.abort();
    rmSync(root, { recursive: true });
  });
  const changed = vi.fn<() => void>();
  watchFiles({ files: [file], everyMs: 60_000, signal: stop.signal, changed });
  return { directory, file, changed, look: () => process.emit("SIGHUP") };
}

test("a file is looked at again once its mode is mended, though it holds the same", () => {
  const { file, changed, look } = watched();
  look();
  expect(changed).not.toHaveBeenCalled();
  chmodSync(file, 0o400);
  look();
  expect(changed).toHaveBeenCalledOnce();
});

test("a file that can not even be looked at for a while ends nothing, and is seen when it is back", () => {
  const { directory, file, changed, look } = watched();
  rmSync(directory, { recursive: true });
  // Not just absent: as on a network disk that is gone, or in a directory that is closed.
  symlinkSync(directory, directory);
  expect(look).not.toThrow();
  expect(changed).toHaveBeenCalledOnce();
  rmSync(directory);
  mkdirSync(directory);
  writeFileSync(file, "two");
  look();
  expect(changed).toHaveBeenCalledTimes(2);
});
