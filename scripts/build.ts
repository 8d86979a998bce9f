// Makes `dist/`, which is what the published package runs: Node takes no TypeScript from packages.
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { rolldown } from "rolldown";
import { bundledPage } from "../nodes/dashboard/page-script.ts";
import { bundledLicences, bundledNames } from "./bundled.ts";
import { softwareBill } from "./software-bill.ts";

const rootDir = join(import.meta.dirname, "..");
const builtDir = join(rootDir, "dist");

rmSync(builtDir, { recursive: true, force: true });
compile();
writeFileSync(
  join(builtDir, "nodes", "dashboard", "page.js"),
  await bundledPage(join(rootDir, "nodes", "dashboard", "page", "main.tsx")),
);
writeFileSync(
  join(builtDir, "nodes", "connect-node.js"),
  await bundledModule(join(rootDir, "nodes", "connect-node.ts")),
);
writeFileSync(join(builtDir, "bundled-licences.txt"), bundledLicences(rootDir));
["nodes", "relay"].flatMap(readAtRunTime).forEach(copy);
writeFileSync(join(builtDir, "software-bill.cdx.json"), softwareBill(rootDir));

function compile(): void {
  const tsc = join(rootDir, "node_modules", ".bin", "tsc");
  const args = ["--project", "tsconfig.build.json"];
  const { status } = spawnSync(tsc, args, { cwd: rootDir, stdio: "inherit" });
  if (status !== 0) process.exit(1);
}

/**
 * A module with what it imports of libraries that nobody installs with the package.
 * @throws Error where that is a library of which `bundledNames` knows nothing
 */
async function bundledModule(entry: string): Promise<string> {
  const manifest = readFileSync(join(rootDir, "package.json"), "utf8");
  const { dependencies } = JSON.parse(manifest) as { dependencies: Record<string, string> };
  const installed = Object.keys(dependencies);
  const bundle = await rolldown({
    input: entry,
    platform: "node",
    external: (id) => installed.some((name) => id === name || id.startsWith(`${name}/`)),
    experimental: { attachDebugInfo: "none" },
  });
  const { output } = await bundle.generate({ format: "esm" });
  await bundle.close();
  const strange = output[0].moduleIds.filter((id) => id !== entry && !isNamed(id));
  if (strange.length > 0) throw new Error(`bundled without being named: ${strange.join(", ")}`);
  return output[0].code;
}

function isNamed(module: string): boolean {
  const path = module.split("/node_modules/").at(-1) ?? "";
  return bundledNames.some((name) => path.startsWith(`${name}/`));
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
