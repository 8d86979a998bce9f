import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  appendFileSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, onTestFinished, type TestContext, test } from "vitest";
import { logBytesWaitingMax } from "../../relay/limits.ts";
import { eventually } from "../../scripts/demo/eventually.ts";
import { freePorts } from "../../scripts/demo/free-ports.ts";
import { cleanEnvironment, cli } from "../../scripts/demo/node-process.ts";
import { mountSmallDisk } from "../nodes/store/small-disk.ts";

/** Takes all the room that is left. */
function fill(file: string): void {
  for (const bytes of [4_096, 1])
    expect(() => {
      for (;;) appendFileSync(file, Buffer.alloc(bytes));
    }).toThrow("ENOSPC");
}

/** A log that has all of a small disk. */
function fullLog(directory: string, context: TestContext): { log: string; descriptor: number } {
  const disk = mkdtempSync(join(directory, "disk-"));
  if (!mountSmallDisk(disk)) context.skip("only root can mount a small disk to fill");
  const log = join(disk, "node.log");
  writeFileSync(log, "");
  fill(log);
  return { log, descriptor: openSync(log, "a") };
}

function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "headwater-log-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

test("lines that a full disk does not take wait up to a bound, and come before later ones", (context) => {
  const { log, descriptor } = fullLog(temporaryDirectory(), context);
  const program = `
    import { truncateSync } from "node:fs";
    import { openLog } from "${resolve(import.meta.dirname, "../../nodes/log.ts")}";
    const log = openLog("info");
    const line = { level: "info", event: "e", message: "m".repeat(1_000) };
    for (let count = 0; count < 1_000; count++) log.write(line);
    truncateSync(process.argv[1]);
    log.write({ ...line, message: "n".repeat(1_000) });`;
  const args = ["--input-type=module", "--eval", program, log];
  const { status } = spawnSync(process.execPath, args, { stdio: ["ignore", "ignore", descriptor] });
  expect(status).toBe(0);
  const lines = readFileSync(log, "utf8");
  expect(lines.lastIndexOf("mmm")).toBeLessThan(logBytesWaitingMax);
  expect(lines.lastIndexOf("mmm")).toBeGreaterThan(logBytesWaitingMax - 2_000);
  const events = lines
    .trimEnd()
    .split("\n")
    .map((text) => JSON.parse(text) as LogLine);
  const kept = events.filter(({ msg }) => msg.startsWith("mmm"));
  expect(events.slice(kept.length)).toEqual([
    expect.objectContaining({ event: "log-lines-lost", count: 1_000 - kept.length }),
    expect.objectContaining({ msg: "n".repeat(1_000) }),
  ]);
});

interface LogLine {
  readonly msg: string;
  readonly event: string;
  readonly count?: number;
}

/** What a program has logged, of which nothing is read before it says on stdout that it goes on. */
async function unreadLog(program: string): Promise<() => string> {
  const child = spawn(process.execPath, ["--input-type=module", "--eval", program]);
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  await once(child.stdout, "data");
  let log = "";
  child.stderr.on("data", (bytes: Buffer) => {
    log += bytes;
  });
  return () => log;
}

test("who reads a log again is told how much of it is lost, before anything else is to be said", async () => {
  const program = `
    import { openLog } from "${resolve(import.meta.dirname, "../../nodes/log.ts")}";
    const log = openLog("error");
    const line = { level: "error", event: "e", message: "m".repeat(1_000) };
    for (let count = 0; count < 1_000; count++) log.write(line);
    process.stdout.write("goes on");
    setInterval(() => undefined, 1_000);`;
  const log = await unreadLog(program);
  await eventually("it says so", () => log().includes("log-lines-lost"), 60_000);
  await eventually("the line is whole", () => log().endsWith("\n"), 60_000);
  const events = log()
    .trimEnd()
    .split("\n")
    .map((text) => JSON.parse(text) as LogLine);
  expect(events.at(-1)?.count).toBe(1_000 - (events.length - 1));
});

test("who does not read a log for a while stops nothing, and gets the first and the last of it", async () => {
  const program = `
    import { openLog } from "${resolve(import.meta.dirname, "../../nodes/log.ts")}";
    const log = openLog("info");
    const line = { level: "info", event: "e", message: "m".repeat(1_000) };
    for (let count = 0; count < 1_000; count++) log.write(line);
    process.stdout.write("goes on");
    setInterval(() => log.write({ ...line, message: "still here" }), 20);`;
  const log = await unreadLog(program);
  await eventually("it goes on", () => log().includes("still here"));
  const whole = log().slice(0, log().lastIndexOf("\n"));
  const events = whole.split("\n").map((line) => (JSON.parse(line) as LogLine).event);
  expect(new Set(events)).toEqual(new Set(["e", "log-lines-lost"]));
});

test("a node whose log is on a full disk starts and goes on, and its log does when there is room", async (context) => {
  const directory = temporaryDirectory();
  const { log, descriptor } = fullLog(directory, context);
  const [apps, mesh, admin, nobody] = await freePorts(4);
  const child = spawn(process.execPath, [cli, "node"], {
    stdio: ["ignore", descriptor, descriptor],
    env: {
      ...cleanEnvironment(),
      HEADWATER_NAME: "plant",
      HEADWATER_DATA_DIR: join(directory, "data"),
      HEADWATER_APPS_ADDR: `127.0.0.1:${apps}`,
      HEADWATER_MESH_ADDR: `127.0.0.1:${mesh}`,
      HEADWATER_ADMIN_ADDR: `127.0.0.1:${admin}`,
      HEADWATER_UPSTREAMS: `127.0.0.1:${nobody}`,
    },
  });
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  await eventually("it serves", async () => {
    expect(child.exitCode).toBe(null);
    return (await fetch(`http://127.0.0.1:${admin}/healthz`)).ok;
  });
  truncateSync(log);
  await eventually(
    "its log goes on",
    () => readFileSync(log, "utf8").includes("nothing listens at"),
    60_000,
  );
  child.kill("SIGTERM");
  await once(child, "exit");
});
