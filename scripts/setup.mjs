// Makes a checkout ready: its dependencies with a modern Node; for tests a nats-server and a browser.
// Plain JavaScript without dependencies, because it runs first, on whatever Node the machine has.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { findChromium, installChromium } from "./chromium.mjs";
import { findNatsServer, installNatsServer } from "./nats-server.mjs";
import { findPromtool, installPromtool } from "./promtool.mjs";
import { installedNode, isModern, nodeMajorMin, packageDir, runtimePackage } from "./runtime.mjs";

if (!isInstalled()) install();
assertModernNode();
if (process.argv.includes("--tests")) {
  report({ name: "nats-server", found: findNatsServer(), install: installNatsServer });
  report({ name: "chromium", found: findChromium()?.path, install: installChromium });
  report({ name: "promtool", found: findPromtool(), install: installPromtool });
}

/** Compares with what npm noted as installed: contents, so that a mere checkout changes nothing. */
function isInstalled() {
  const present = lockedPackages("node_modules/.package-lock.json");
  const locked = lockedPackages("package-lock.json");
  if (present === undefined || locked === undefined) return false;
  const runtime = runtimePackage();
  if (runtime !== undefined && installedNode() === undefined) return false;
  return Object.entries(locked).every(
    ([path, wanted]) =>
      path === "" || (present[path] ? isSame(present[path], wanted) : wanted.optional === true),
  );
}

function isSame(present, wanted) {
  return present.version === wanted.version && present.integrity === wanted.integrity;
}

function lockedPackages(file) {
  try {
    return JSON.parse(readFileSync(join(packageDir, file), "utf8")).packages;
  } catch (error) {
    // Where npm was interrupted; and if it is ours that can not be read, npm says why.
    if (error.code === "ENOENT" || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function install() {
  say("installing dependencies with npm ci, about 550 MB");
  const startedMs = performance.now();
  const args = ["ci", "--include=dev", "--include=optional", "--loglevel=error"];
  const npm = spawnSync("npm", [...args, "--no-audit", "--no-fund"], {
    cwd: packageDir,
    env: { ...process.env, PATH: pathWithoutPackages() },
    // Standard output belongs to the command that follows.
    stdio: ["inherit", 2, 2],
  });
  if (npm.error) fail(`npm cannot be started: ${npm.error.message}`, "put npm on the PATH");
  if (npm.status !== 0) {
    fail("npm ci failed; its reason is above", "check the network, then run the same again");
  }
  say(`dependencies installed in ${((performance.now() - startedMs) / 1000).toFixed(0)} s`);
}

/** npm replaces `node_modules`, so it must not run on the Node that lies inside. */
function pathWithoutPackages() {
  const entries = (process.env.PATH ?? "").split(delimiter);
  return entries.filter((dir) => !dir.startsWith(join(packageDir, "node_modules"))).join(delimiter);
}

function assertModernNode() {
  if (installedNode() !== undefined || isModern()) return;
  const runtime = runtimePackage();
  fail(
    `Node ${nodeMajorMin} or newer is needed, this is ${process.versions.node}`,
    runtime === undefined
      ? `install Node ${nodeMajorMin} from https://nodejs.org`
      : `npm did not install ${runtime.name}@${runtime.version}: run npm ci and read its warnings`,
  );
}

function report({ name, found, install }) {
  if (found !== undefined) return say(`${name} is ${found}`);
  say(`unpacking ${name} from the distribution's package`);
  const { path, reason } = install();
  say(
    path
      ? `${name} is ${path}`
      : `no ${name}, so its tests will not run: ${reason}\n  hint: put one on the PATH`,
  );
}

function say(line) {
  process.stderr.write(`setup: ${line}\n`);
}

function fail(problem, hint) {
  process.stderr.write(`setup: ${problem}\n  hint: ${hint}\n`);
  process.exit(1);
}
