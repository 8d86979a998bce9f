// Finds a real nats-server, or unpacks one from the distribution's package without root.
import { spawnSync } from "node:child_process";
import {
  accessSync,
  constants,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
} from "node:fs";
import { delimiter, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { packageDir } from "./runtime.mjs";

const cacheDir = join(packageDir, "node_modules", ".cache", "headwater");
const unpackedDir = join(cacheDir, "nats-server");
const stepMsMax = 120_000;

/** Distributions carry an old one; ours is tested with this one as well. */
const currentVersion = "2.15.2";
const currentDir = join(cacheDir, `nats-server-${currentVersion}`);
const buildMsMax = 600_000;

/** Without a network, say so soon: the tests can run without the server. */
const impatient = ["--option=Acquire::Retries=0", "--option=Acquire::http::Timeout=15"];

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
  const reason = run("go", ["install", module], cacheDir, { env, timeout: buildMsMax });
  return reason === undefined ? { path: findCurrentNatsServer() } : { reason };
}

/** Finds or unpacks a nats-server; where that cannot be, says why. */
export function installNatsServer() {
  const found = findNatsServer();
  if (found !== undefined) return { path: found };
  if (process.platform !== "linux") return { reason: "put nats-server on the PATH" };
  mkdirSync(cacheDir, { recursive: true });
  const workDir = mkdtempSync(join(cacheDir, "unpack-"));
  try {
    const reason = unpack(workDir);
    return reason === undefined ? { path: findNatsServer() } : { reason };
  } finally {
    rmSync(workDir, { recursive: true, force: true });
  }
}

function unpack(workDir) {
  const problem = download(workDir, []) && downloadWithOwnLists(workDir);
  if (problem !== undefined) return problem;
  const archive = readdirSync(workDir).find((name) => name.endsWith(".deb"));
  if (archive === undefined) return "apt-get left no package behind";
  const contentsDir = join(workDir, "contents");
  const failed = run("dpkg", ["-x", join(workDir, archive), contentsDir], workDir);
  if (failed !== undefined) return failed;
  // Renamed only when whole, so that an interrupted unpacking is never found.
  rmSync(unpackedDir, { recursive: true, force: true });
  renameSync(contentsDir, unpackedDir);
  const isWhole = isExecutable(join(unpackedDir, "usr", "sbin", "nats-server"));
  return isWhole ? undefined : "the package holds no usr/sbin/nats-server";
}

function download(workDir, options) {
  return run("apt-get", [...impatient, ...options, "download", "nats-server"], workDir);
}

/** A fresh machine has no package lists, and without root cannot fetch them to their usual place. */
function downloadWithOwnLists(workDir) {
  const stateDir = join(workDir, "state");
  const archivesDir = join(workDir, "cache", "archives", "partial");
  mkdirSync(join(stateDir, "lists", "partial"), { recursive: true });
  mkdirSync(archivesDir, { recursive: true });
  const options = [
    `--option=Dir::State=${stateDir}`,
    `--option=Dir::State::lists=${join(stateDir, "lists")}`,
    "--option=Dir::State::status=/var/lib/dpkg/status",
    `--option=Dir::Cache=${join(workDir, "cache")}`,
  ];
  const updated = run("apt-get", [...impatient, ...options, "update"], workDir);
  return updated ?? download(workDir, options);
}

/** Runs one step; answers what went wrong in one line, or undefined. */
function run(command, args, cwd, options = {}) {
  const ended = spawnSync(command, args, {
    cwd,
    encoding: "utf8",
    timeout: stepMsMax,
    ...options,
  });
  if (ended.error?.code === "ENOENT") return `this machine has no ${command}`;
  if (ended.error) return `${command}: ${ended.error.message}`;
  if (ended.status === 0) return undefined;
  const lastLine = ended.stderr.trim().split("\n").at(-1);
  return `${command} failed: ${lastLine}`;
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    // Absent or not ours to run: both mean that it is not the one.
    return false;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const isCurrent = process.argv.includes("--current");
  const { path, reason } = isCurrent ? buildCurrentNatsServer() : installNatsServer();
  if (path === undefined) process.stderr.write(`no nats-server: ${reason}\n`);
  else process.stdout.write(`${path}\n`);
  process.exitCode = path === undefined ? 1 : 0;
}
