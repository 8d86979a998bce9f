#!/usr/bin/env node
// The command `headwater`: runs it here when this Node is modern, else on one that is.
// Plain JavaScript, because it starts on whatever Node the machine has.
import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import module from "node:module";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { installedNode, isModern, nodeMajorMin, packageDir, runtimePackage } from "./runtime.mjs";

const source = join(packageDir, "nodes", "cli", "main.ts");
const built = join(packageDir, "dist", "nodes", "cli", "main.js");
const isCheckout = existsSync(source);

// npm writes this list when all else is there.
const installed = join(packageDir, "node_modules", ".package-lock.json");
if (isCheckout && !existsSync(installed)) await import("./setup.mjs");
keepCompiled();
if (isModern()) await import(pathToFileURL(isCheckout ? source : built).href);
else runOn(installedNode() ?? fetchedNode());

/** Compiling is half of what a command takes. Where it can not be kept it is done each time. */
function keepCompiled() {
  try {
    const cache = process.env.XDG_CACHE_HOME || join(homedir(), ".cache");
    module.enableCompileCache?.(join(cache, "headwater", "compiled"));
  } catch {
    // A container may run as a user that has no home.
  }
}

function runOn(node) {
  const launcher = fileURLToPath(import.meta.url);
  const child = spawn(node, [launcher, ...process.argv.slice(2)], { stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR2"]) {
    process.on(signal, () => {
      if (!sentByTerminal(signal)) child.kill(signal);
    });
  }
  child.on("error", (error) => fail(`cannot start ${node}: ${error.message}`));
  child.on("exit", (code, signal) => {
    if (signal === null) process.exitCode = code;
    else endBy(signal);
  });
}

/** A terminal sends these to the child as well; forwarding would deliver them twice. */
function sentByTerminal(signal) {
  return (signal === "SIGINT" || signal === "SIGQUIT") && process.stdin.isTTY === true;
}

function endBy(signal) {
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}

function fetchedNode() {
  const runtime = runtimePackage();
  if (runtime === undefined) return fail(`this needs Node ${nodeMajorMin} or newer`);
  const spec = `${runtime.name}@${runtime.version}`;
  const cached = nodeFromNpm(spec, "--no", "--offline");
  if (cached !== "") return cached;
  process.stderr.write(`headwater: fetching Node ${runtime.version} with npm, once\n`);
  return nodeFromNpm(spec, "--yes", "--prefer-offline") || fail(`npm could not fetch ${spec}`);
}

/**
 * Asks npm where its cached copy is; with `--yes` it fetches one first. Empty when it cannot. Only
 * with `--offline` does npm not ask the registry again, for a minute and more where there is none.
 */
function nodeFromNpm(spec, consent, network) {
  const args = ["exec", consent, network, "--loglevel=error", `--package=${spec}`];
  const asked = spawnSync("npm", [...args, "--", "node", "-p", "process.execPath"], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", consent === "--yes" ? "inherit" : "ignore"],
  });
  return asked.status === 0 ? asked.stdout.trim() : "";
}

function fail(problem) {
  process.stderr.write(
    `headwater: ${problem}; this is Node ${process.versions.node}\n` +
      `  hint: install Node ${nodeMajorMin} or newer, from https://nodejs.org\n`,
  );
  process.exit(1);
}
