// Which Node runs Headwater. Plain JavaScript: it is read by the older Node that it replaces.
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The first major version that runs TypeScript as it is and has SQLite inside. */
export const nodeMajorMin = 24;

/** The folder of the package: a checkout, or an installed copy. */
export const packageDir = dirname(dirname(fileURLToPath(import.meta.url)));

/** Whether the running Node is modern enough. */
export function isModern() {
  return Number.parseInt(process.versions.node, 10) >= nodeMajorMin;
}

/** The npm package that holds a modern Node for this machine; undefined where there is none. */
export function runtimePackage() {
  const name = `node-${process.platform}-${process.arch}`;
  const manifest = join(packageDir, "scripts", "runtime", "package.json");
  const { optionalDependencies } = JSON.parse(readFileSync(manifest, "utf8"));
  const version = optionalDependencies[name];
  return version === undefined ? undefined : { name, version };
}

/** The modern Node installed with, beside, or above the package; undefined when none is. */
export function installedNode() {
  const name = runtimePackage()?.name;
  if (name === undefined) return undefined;
  for (let dir = packageDir; ; dir = dirname(dir)) {
    const path = join(dir, "node_modules", name, "bin", "node");
    if (existsSync(path)) return path;
    if (dir === dirname(dir)) return undefined;
  }
}
