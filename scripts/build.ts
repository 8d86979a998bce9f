// Makes `dist/`, which is what the published package runs: Node takes no TypeScript from packages.
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { bundledPage } from "../nodes/dashboard/page-script.ts";
import { softwareBill } from "./software-bill.ts";

const rootDir = join(import.meta.dirname, "..");
const builtDir = join(rootDir, "dist");

rmSync(builtDir, { recursive: true, force: true });
compile();
writeFileSync(
  join(builtDir, "nodes", "dashboard", "page.js"),
  await bundledPage(join(rootDir, "nodes", "dashboard", "page", "main.tsx")),
);
["nodes", "relay"].flatMap(readAtRunTime).forEach(copy);
writeFileSync(join(builtDir, "software-bill.cdx.json"), softwareBill(rootDir));

function compile(): void {
  const tsc = join(rootDir, "node_modules", ".bin", "tsc");
  const args = ["--project", "tsconfig.build.json"];
  const { status } = spawnSync(tsc, args, { cwd: rootDir, stdio: "inherit" });
  if (status !== 0) process.exit(1);
}

/** What is no code, but lies beside the code that reads it: pages, schemas. */
function readAtRunTime(folder: string): string[] {
  return readdirSync(join(rootDir, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/\.tsx?$|^tsconfig\.json$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name).slice(rootDir.length + 1));
}

function copy(path: string): void {
  const target = join(builtDir, path);
  mkdirSync(dirname(target), { recursive: true });
  copyFileSync(join(rootDir, path), target);
}
