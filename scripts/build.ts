// Makes `dist/`, which is what the published package runs: Node takes no TypeScript from packages.
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";

const rootDir = join(import.meta.dirname, "..");
const builtDir = join(rootDir, "dist");

rmSync(builtDir, { recursive: true, force: true });
compile();
["nodes", "relay"].flatMap(readAtRunTime).forEach(copy);

function compile(): void {
  const tsc = join(rootDir, "node_modules", ".bin", "tsc");
  const args = ["--project", "tsconfig.build.json"];
  const { status } = spawnSync(tsc, args, { cwd: rootDir, stdio: "inherit" });
  if (status !== 0) process.exit(1);
}

/** What is no code, but lies beside the code that reads it: pages, schemas. */
function readAtRunTime(folder: string): string[] {
  return readdirSync(join(rootDir, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith(".ts"))
    .map((entry) => join(entry.parentPath, entry.name).slice(rootDir.length + 1));
}

function copy(path: string): void {
  const target = join(builtDir, path);
  mkdirSync(dirname(target), { recursive: true });
  copyFileSync(join(rootDir, path), target);
}
