// Finds a real nats-server, or unpacks one from the distribution's package without root.
import { mkdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { unpackDebianPackage } from "./debian-package.mjs";
import { packageDir } from "./runtime.mjs";
import { isExecutable, runStep } from "./step.mjs";

const cacheDir = join(packageDir, "node_modules", ".cache", "headwater");
const unpackedDir = join(cacheDir, "nats-server");

/** Distributions carry an old one; ours is tested with this one as well. */
const currentVersion = "2.15.2";
const currentDir = join(cacheDir, `nats-server-${currentVersion}`);
const buildMsMax = 600_000;

/** The path of a nats-server: from the PATH, where distributions put it, or unpacked before. */
export function findNatsServer() {
  const onPath = (process.env.PATH ?? "").split(delimiter);
  const dirs = [...onPath, "/usr/local/sbin", "/usr/sbin", join(unpackedDir, "usr", "sbin")];
  return dirs
    .filter((dir) => dir !== "")
    .map((dir) => join(dir, "nats-server"))
    .find(isExecutable);
}

/** The path of a current nats-server, once `node scripts/nats-server.mjs --current` has built it. */
export function findCurrentNatsServer() {
  const path = join(currentDir, "nats-server");
  return isExecutable(path) ? path : undefined;
}

/** Builds a current nats-server where the machine has Go; else says why there is none. */
export function buildCurrentNatsServer() {
  const found = findCurrentNatsServer();
  if (found !== undefined) return { path: found };
  mkdirSync(cacheDir, { recursive: true });
  const env = { ...process.env, GOBIN: currentDir };
  const module = `github.com/nats-io/nats-server/v2@v${currentVersion}`;
  const reason = runStep("go", ["install", module], { cwd: cacheDir, env, timeout: buildMsMax });
  return reason === undefined ? { path: findCurrentNatsServer() } : { reason };
}

/** Finds or unpacks a nats-server; where that cannot be, says why. */
export function installNatsServer() {
  const found = findNatsServer();
  if (found !== undefined) return { path: found };
  if (process.platform !== "linux") return { reason: "put nats-server on the PATH" };
  const reason = unpackDebianPackage({ name: "nats-server", into: unpackedDir });
  if (reason !== undefined) return { reason };
  const path = findNatsServer();
  return path ? { path } : { reason: "the package holds no usr/sbin/nats-server" };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const isCurrent = process.argv.includes("--current");
  const { path, reason } = isCurrent ? buildCurrentNatsServer() : installNatsServer();
  if (path === undefined) process.stderr.write(`no nats-server: ${reason}\n`);
  else process.stdout.write(`${path}\n`);
  process.exitCode = path === undefined ? 1 : 0;
}
