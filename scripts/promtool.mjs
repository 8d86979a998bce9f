// Finds a real promtool, or unpacks one from the distribution's package of Prometheus.
import { delimiter, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { unpackDebianPackage } from "./debian-package.mjs";
import { packageDir } from "./runtime.mjs";
import { isExecutable } from "./step.mjs";

const unpackedDir = join(packageDir, "node_modules", ".cache", "headwater", "prometheus");

/** The path of a promtool: from the PATH, or unpacked before. */
export function findPromtool() {
  const dirs = [...(process.env.PATH ?? "").split(delimiter), join(unpackedDir, "usr", "bin")];
  return dirs
    .filter((dir) => dir !== "")
    .map((dir) => join(dir, "promtool"))
    .find(isExecutable);
}

/** Finds or unpacks a promtool; where that cannot be, says why. */
export function installPromtool() {
  const found = findPromtool();
  if (found !== undefined) return { path: found };
  if (process.platform !== "linux") return { reason: "put promtool on the PATH" };
  const reason = unpackDebianPackage({ name: "prometheus", into: unpackedDir });
  return reason === undefined ? { path: findPromtool() } : { reason };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { path, reason } = installPromtool();
  if (path === undefined) process.stderr.write(`no promtool: ${reason}\n`);
  else process.stdout.write(`${path}\n`);
  process.exitCode = path === undefined ? 1 : 0;
}
