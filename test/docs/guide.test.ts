import { execFile } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import process from "node:process";
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually } from "../../scripts/demo/eventually.ts";
import { NodeProcess } from "../../scripts/demo/node-process.ts";
import { isPrinted, type Step, stepsOf } from "./transcript.ts";

const rootDir = resolve(import.meta.dirname, "../..");
const page = readFileSync(join(rootDir, "docs/guide.md"), "utf8");
const nodes = new Map<string, NodeProcess>();
let directory: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "headwater-guide-"));
  symlinkSync(join(rootDir, "scripts/headwater.mjs"), join(directory, "headwater"));
  writeFileSync(join(directory, "flags.yaml"), /```yaml\n([\s\S]*?)```/.exec(page)?.[1] ?? "");
  for (const name of ["upstream", "acme", "plant"]) nodes.set(name, await NodeProcess.start(name));
}, 240_000);

afterAll(async () => {
  for (const node of nodes.values()) await node[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true, force: true });
});

/** What somebody types at a prompt, with all that is printed. */
function type({ who, command }: Step): Promise<string> {
  const node = nodes.get(who);
  const home = join(directory, `home-${who}`);
  mkdirSync(home, { recursive: true });
  const env = {
    ...node?.operatorEnv,
    PATH: `${directory}:${join(process.execPath, "..")}:${process.env["PATH"]}`,
    HOME: home,
    XDG_CONFIG_HOME: join(home, ".config"),
    NO_COLOR: "1",
  };
  return new Promise((done) => {
    const line = `exec 2>&1\n${command}`;
    const options = { cwd: directory, env, timeout: 60_000 };
    execFile("bash", ["-c", line], options, (_error, stdout) => done(stdout));
  });
}

test("docs/guide.md happens as it is shown", async () => {
  const steps = stepsOf(page);
  expect(steps.length).toBeGreaterThan(20);
  for (const step of steps) {
    // What has to come from another node takes a moment; what changes something is typed once.
    const isAsked = /^headwater (explain|telemetry preview)/.test(step.command);
    await eventually(
      `${step.who}$ ${step.command}`,
      async () => {
        const said = await type(step);
        if (!isPrinted(said, step.output)) throw new Error(`it printed: ${said}`);
        return true;
      },
      isAsked ? 60_000 : 1,
    );
  }
}, 900_000);

test("its pictures are there", () => {
  const shown = [...page.matchAll(/!\[[^\]]+\]\(([^)]+)\)/g)].map(([, path = ""]) => path);
  expect(shown.length).toBeGreaterThan(1);
  for (const path of shown)
    expect([path, existsSync(join(rootDir, "docs", path))]).toEqual([path, true]);
});
