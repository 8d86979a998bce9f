// Unpacks a package of the distribution into a folder: without root, and nothing is installed.
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { runStep } from "./step.mjs";

/** Without a network, say so soon: most tests can run without what is fetched here. */
const impatient = ["--option=Acquire::Retries=0", "--option=Acquire::http::Timeout=15"];
/** A browser with all that it needs is 124 MB. */
const downloadMsMax = 600_000;

const workPrefix = "unpack-";
/** Longer than any unpacking takes: what is older was interrupted. */
const workMsMax = 24 * 60 * 60_000;

/**
 * Unpacks the package as the folder `into`, which is whole or absent; `withDependencies`, those that
 * the machine does not have as well. Answers what went wrong in one line, or undefined.
 */
export function unpackDebianPackage({ name, into, withDependencies = false }) {
  if (process.platform !== "linux") return "this is no Debian";
  try {
    return unpackWithin(dirname(into), { name, into, withDependencies });
  } catch (error) {
    // The folder can not be written, or the disk is full.
    return error.message;
  }
}

function unpackWithin(cacheDir, { name, into, withDependencies }) {
  mkdirSync(cacheDir, { recursive: true });
  removeInterrupted(cacheDir);
  const workDir = mkdtempSync(join(cacheDir, workPrefix));
  try {
    const fetching = { name, withDependencies, workDir };
    return (download(fetching) && downloadWithOwnLists(fetching)) ?? unpack(workDir, into);
  } finally {
    rmSync(workDir, { recursive: true, force: true });
  }
}

function removeInterrupted(cacheDir) {
  for (const name of readdirSync(cacheDir).filter((entry) => entry.startsWith(workPrefix))) {
    const workDir = join(cacheDir, name);
    const stat = statSync(workDir, { throwIfNoEntry: false });
    const isOld = stat !== undefined && Date.now() - stat.mtimeMs > workMsMax;
    if (isOld) rmSync(workDir, { recursive: true, force: true });
  }
}

function download({ name, withDependencies, workDir }, options = []) {
  const own = [...impatient, ...options, `--option=Dir::Cache=${cacheOf(workDir)}`];
  mkdirSync(join(cacheOf(workDir), "archives", "partial"), { recursive: true });
  const dependencies = ["--yes", "--no-install-recommends", "--download-only", "install"];
  return withDependencies
    ? apt([...own, "--option=Debug::NoLocking=1", ...dependencies, name], workDir)
    : apt([...own, "download", name], join(cacheOf(workDir), "archives"));
}

/** A fresh machine has no package lists, and without root cannot fetch them to their usual place. */
function downloadWithOwnLists(fetching) {
  const { workDir } = fetching;
  const stateDir = join(workDir, "state");
  mkdirSync(join(stateDir, "lists", "partial"), { recursive: true });
  const options = [
    `--option=Dir::State=${stateDir}`,
    `--option=Dir::State::lists=${join(stateDir, "lists")}`,
    "--option=Dir::State::status=/var/lib/dpkg/status",
    `--option=Dir::Cache=${cacheOf(workDir)}`,
  ];
  return apt([...impatient, ...options, "update"], workDir) ?? download(fetching, options);
}

function apt(args, cwd) {
  return runStep("apt-get", args, { cwd, timeout: downloadMsMax });
}

function cacheOf(workDir) {
  return join(workDir, "cache");
}

function unpack(workDir, into) {
  const archivesDir = join(cacheOf(workDir), "archives");
  const archives = readdirSync(archivesDir).filter((name) => name.endsWith(".deb"));
  if (archives.length === 0) return "apt-get left no package behind";
  const contentsDir = join(workDir, "contents");
  for (const archive of archives) {
    const failed = runStep("dpkg", ["-x", join(archivesDir, archive), contentsDir]);
    if (failed !== undefined) return failed;
  }
  return moveTo(into, contentsDir);
}

/** Renamed only when whole, so that an interrupted unpacking is never found. */
function moveTo(into, contentsDir) {
  try {
    renameSync(contentsDir, into);
  } catch (error) {
    // Somebody else was faster, and may be running theirs.
    if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") return error.message;
  }
  return undefined;
}
