import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { eventually } from "../../scripts/demo/eventually.ts";
import { freePorts } from "../../scripts/demo/free-ports.ts";
import { cleanEnvironment, cli, NodeProcess } from "../../scripts/demo/node-process.ts";
import { adminToken, openFakeAdmin } from "../nodes/cli/fake-admin.ts";

/** Of util-linux: it gives a command a terminal of its own. */
const script = "/usr/bin/script";

const authority = resolve(import.meta.dirname, "../nodes/mesh/certificates/authority.pem");

test("a node without TLS files goes on after SIGHUP, and says so", async () => {
  await using node = await NodeProcess.start("plant");
  node.signal("SIGHUP");
  await eventually("it says so", () => node.stderr.includes("SIGHUP: the node goes on"));
  expect((await fetch(`http://${node.admin}/healthz`)).ok).toBe(true);
  await node.kill("SIGTERM");
});

test.for<[string, Record<string, string>]>([
  ["without TLS files", {}],
  ["with TLS files", { HEADWATER_TLS_CA_FILE: authority }],
])("a node %s ends in order when its terminal is closed", async ([, files], context) => {
  if (!existsSync(script)) context.skip("there is no script of util-linux here");
  const directory = mkdtempSync(join(tmpdir(), "headwater-terminal-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const pidFile = join(directory, "pid");
  const [apps, mesh, admin] = await freePorts(3);
  const command = `echo $$ > ${pidFile}; exec ${process.execPath} ${cli} node`;
  const terminal = spawn(script, ["--quiet", "--command", command, "/dev/null"], {
    stdio: ["pipe", "ignore", "ignore"],
    env: {
      ...cleanEnvironment(),
      ...files,
      SHELL: "/bin/sh",
      HEADWATER_NAME: "plant",
      HEADWATER_DATA_DIR: join(directory, "data"),
      HEADWATER_APPS_ADDR: `127.0.0.1:${apps}`,
      HEADWATER_MESH_ADDR: `127.0.0.1:${mesh}`,
      HEADWATER_ADMIN_ADDR: `127.0.0.1:${admin}`,
    },
  });
  const isServing = async (): Promise<boolean> =>
    (await fetch(`http://127.0.0.1:${admin}/healthz`)).ok;
  await eventually("it serves", isServing, 60_000);
  const pid = Number(readFileSync(pidFile, "utf8"));
  onTestFinished(() => {
    if (isThere(pid)) process.kill(pid, "SIGKILL");
  });
  // The terminal goes without a word to anybody, as when its window is closed.
  terminal.kill("SIGKILL");
  await eventually("it has ended", () => !isThere(pid));
  // SQLite takes it away where the database is closed.
  expect(existsSync(join(directory, "data", "headwater.db-wal"))).toBe(false);
});

/** Begins, and never goes on. */
async function* backup(_: unknown, { signal }: { signal: AbortSignal }): AsyncGenerator<object> {
  yield { file: "headwater.db" };
  await new Promise((resolve) => signal.addEventListener("abort", resolve));
}

test("a backup that is hung up without a terminal leaves no part of the node's keys behind", async () => {
  const { url } = await openFakeAdmin({ operators: { backup } });
  const directory = mkdtempSync(join(tmpdir(), "headwater-backup-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const child = spawn(process.execPath, [cli, "backup", join(directory, "safe")], {
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...cleanEnvironment(), HEADWATER_ADMIN_URL: url, HEADWATER_ADMIN_TOKEN: adminToken },
  });
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  let said = "";
  child.stderr.on("data", (bytes: Buffer) => {
    said += bytes;
  });
  await eventually("it is under way", () => readdirSync(directory).length > 0, 60_000);
  child.kill("SIGHUP");
  expect(await once(child, "close")).toEqual([1, null]);
  expect(readdirSync(directory)).toEqual([]);
  expect(said).toContain("interrupted, and nothing was kept");
});

test("a backup whose terminal is closed leaves no part of the node's keys behind", async (context) => {
  if (!existsSync(script)) context.skip("there is no script of util-linux here");
  const { url } = await openFakeAdmin({ operators: { backup } });
  const directory = mkdtempSync(join(tmpdir(), "headwater-terminal-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const command = `exec ${process.execPath} ${cli} backup ${join(directory, "safe")}`;
  const terminal = spawn(script, ["--quiet", "--command", command, "/dev/null"], {
    stdio: ["pipe", "ignore", "ignore"],
    env: {
      ...cleanEnvironment(),
      SHELL: "/bin/sh",
      HEADWATER_ADMIN_URL: url,
      HEADWATER_ADMIN_TOKEN: adminToken,
    },
  });
  await eventually("it is under way", () => readdirSync(directory).length > 0, 60_000);
  terminal.kill("SIGKILL");
  await eventually("it has ended", () => expect(readdirSync(directory)).toEqual([]));
});

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
