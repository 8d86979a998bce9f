import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import process from "node:process";
import { expect, test } from "vitest";
import { eventually } from "../../scripts/demo/eventually.ts";
import { freePorts } from "../../scripts/demo/free-ports.ts";
import { NodeProcess } from "../../scripts/demo/node-process.ts";

const checkout = resolve(import.meta.dirname, "../..");
const readme = readFileSync(join(checkout, "README.md"), "utf8");

interface Step {
  readonly command: string;
  /** Expected output; `…` stands for anything. */
  readonly output: string;
}

/** The commands of the first transcript, each with what it prints. */
function transcript(): Step[] {
  const block = /```console\n([\s\S]*?)```/.exec(readme)?.[1] ?? "";
  return block
    .split(/^\$ /m)
    .slice(1)
    .map((part) => {
      const end = part.indexOf("\n");
      return { command: part.slice(0, end), output: part.slice(end + 1) };
    });
}

function matches(output: string, expected: string): boolean {
  const parts = expected.trimEnd().split("…");
  const pattern = parts
    .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"))
    .join("[\\s\\S]*");
  return new RegExp(`^${pattern}\\s*$`).test(output);
}

test("the transcript does what it shows", async () => {
  const directory = mkdtempSync(join(tmpdir(), "headwater-readme-"));
  const names = ["7700", "7701", "7702", "7710", "7711", "7712"];
  const ports = await freePorts(names.length);
  const onFreePorts = (text: string): string =>
    text.replace(
      /127\.0\.0\.1:(77\d\d)/g,
      (_, name: string) => `127.0.0.1:${ports[names.indexOf(name)]}`,
    );
  const [apps, mesh, admin] = ports;
  // `npx headwater` in the checkout is this file.
  symlinkSync(join(checkout, "scripts/headwater.mjs"), join(directory, "headwater"));
  const env: Record<string, string> = {
    PATH: `${directory}:${join(process.execPath, "..")}:${process.env["PATH"]}`,
    HOME: directory,
    HEADWATER_APPS_ADDR: `127.0.0.1:${apps}`,
    HEADWATER_MESH_ADDR: `127.0.0.1:${mesh}`,
    HEADWATER_ADMIN_ADDR: `127.0.0.1:${admin}`,
    HEADWATER_ADMIN_URL: `http://127.0.0.1:${admin}`,
  };
  const started: ChildProcess[] = [];
  const steps = transcript();
  let shownCount = 0;
  try {
    for (const { command, output } of steps) {
      const line = onFreePorts(command).replaceAll("npx headwater", "headwater");
      if (line.endsWith(" &")) {
        const args = ["-c", `exec ${line.slice(0, -2)}`];
        const child = spawn("bash", args, {
          cwd: directory,
          env,
          stdio: ["ignore", "pipe", "pipe"],
        });
        started.push(child);
        let said = "";
        for (const stream of [child.stdout, child.stderr])
          stream.on("data", (data: Buffer) => (said += data.toString()));
        await eventually(`${line}: ${said}`, () => matches(said, onFreePorts(output)), 20_000);
      } else if (line.startsWith("export ")) {
        const [name = "", value = ""] = line.slice("export ".length).split("=");
        env[name] = value;
      } else {
        const expected = onFreePorts(output);
        await eventually(
          line,
          async () => {
            const said = await run(line, directory, env);
            if (!matches(said, expected)) throw new Error(`it printed: ${said}`);
            return true;
          },
          // What is asked of another node takes a moment to get there; nothing else is repeated.
          line.startsWith("curl") ? 10_000 : 1,
        );
      }
      shownCount++;
    }
    expect(shownCount).toBe(steps.length);
  } finally {
    for (const child of started) child.kill();
    rmSync(directory, { recursive: true, force: true });
  }
}, 120_000);

test("the programs for apps run as they stand, with a node and without", async () => {
  const directory = mkdtempSync(join(tmpdir(), "headwater-readme-"));
  await using node = await NodeProcess.start("upstream");
  await node.do(["init", "horizon"]);
  await node.do(["flag", "set", "horizon/new-scheduler", "100%"]);
  const [port] = await freePorts(1);
  symlinkSync(join(checkout, "node_modules"), join(directory, "node_modules"));
  const programs = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map(
    ([, program]) => program ?? "",
  );
  expect(programs).toHaveLength(2);
  for (const [at, program] of programs.entries()) {
    const file = join(directory, `app-${at}.ts`);
    const fromSources = program
      .replace('"headwater"', JSON.stringify(join(checkout, "sdk/index.ts")))
      .replace('"headwater/openfeature"', JSON.stringify(join(checkout, "sdk/openfeature.ts")));
    writeFileSync(file, fromSources);
    const line = `${process.execPath} ${file}`;
    const withNode = { HEADWATER_URL: `http://${node.apps}` };
    expect(await run(line, directory, withNode)).toBe("the new path\n");
    const withoutNode = { HEADWATER_URL: `http://127.0.0.1:${port}` };
    expect(await run(line, directory, withoutNode)).toBe("");
  }
  rmSync(directory, { recursive: true });
}, 120_000);

function run(line: string, cwd: string, env: Record<string, string>): Promise<string> {
  return new Promise((done, fail) => {
    execFile("bash", ["-c", line], { cwd, env, timeout: 30_000 }, (error, stdout, stderr) => {
      if (error !== null) fail(new Error(`${line} failed: ${stderr}`));
      else done(stdout);
    });
  });
}
