import { spawnSync } from "node:child_process";
import process from "node:process";
import { onTestFinished } from "vitest";

/** Puts a disk of 1 MB there until the test has finished; false for who may not mount one. */
export function mountSmallDisk(directory: string): boolean {
  const args = ["-t", "tmpfs", "-o", "size=1m,mode=0700", "tmpfs", directory];
  if (process.getuid?.() !== 0 || spawnSync("mount", args).status !== 0) return false;
  onTestFinished(() => {
    spawnSync("umount", ["--lazy", directory]);
  });
  return true;
}
