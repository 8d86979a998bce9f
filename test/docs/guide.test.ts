import { type ChildProcess, execFile, spawn } from "node:child_process";
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
import { afterEach, beforeEach, describe, expect, type TestContext, test } from "vitest";
import { eventually } from "../../scripts/demo/eventually.ts";
import { NodeProcess } from "../../scripts/demo/node-process.ts";
import { launchedChromium } from "../browser/chromium.ts";
import { tokenOf } from "../browser/dashboard-scene.ts";
import { isPrinted, type Step, stepsOf } from "./transcript.ts";

const rootDir = resolve(import.meta.dirname, "../..");
const page = readFileSync(join(rootDir, "docs/guide.md"), "utf8");
const nodes = new Map<string, NodeProcess>();
/** As the page says that the test has them. */
const windows = {
  HEADWATER_WINDOW: "2s",
  HEADWATER_HEALTH_WINDOW: "2s",
  HEADWATER_CENSUS_WINDOW: "12s",
};
let directory: string;
let apps: ChildProcess | undefined;

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

async function typeAndRead(step: Step): Promise<true> {
  const said = await type(step);
  if (!isPrinted(said, step.output))
    throw new Error(`${step.who}$ ${step.command}: it printed: ${said}`);
  return true;
}

/** Seventy apps as the page has them, at a node, in a process of their own. */
function startApps(node: NodeProcess | undefined): ChildProcess {
  const program = /```ts\n([\s\S]*?)```/.exec(page)?.[1] ?? "";
  const sdk = join(rootDir, "sdk/index.ts");
  const instances =
    "for (let n = 0; n < 70; n++) await serve(`web-${n}`);\nsetInterval(() => {}, 60_000);";
  const file = join(directory, "apps.ts");
  writeFileSync(file, `${program.replace('"headwater"', JSON.stringify(sdk))}\n${instances}\n`);
  const env = { ...process.env, HEADWATER_URL: `http://${node?.apps}` };
  const args = ["--experimental-strip-types", "--no-warnings", file];
  return spawn(process.execPath, args, { env, stdio: ["ignore", "ignore", "inherit"] });
}

/** What a person sees at the end; `PICTURES=1` puts it where the page shows it. */
async function lookAtDashboard(context: TestContext, node: NodeProcess): Promise<void> {
  const browser = await launchedChromium(context);
  const look = await browser.newPage({ viewport: { width: 1_120, height: 800 } });
  await look.goto(`http://${node.admin}/#token=${tokenOf(node)}`);
  await look.locator("#rollouts").getByText("halted", { exact: true }).waitFor();
  await look.locator("#census").getByText("unused", { exact: true }).waitFor();
  expect(await look.locator("#rollouts").innerText()).toMatch(/wide-path[^]* bad/);
  expect(await look.locator("#census").innerText()).toContain("feature keystone-v2-api");
  const pictures = process.env["PICTURES"] === undefined ? directory : "docs/pictures";
  for (const name of ["rollouts", "census"])
    await look.locator(`#${name}`).screenshot({ path: join(pictures, `dashboard-${name}.png`) });
}

describe("docs/guide.md", () => {
  // A retry begins where a newcomer does.
  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), "headwater-guide-"));
    symlinkSync(join(rootDir, "scripts/headwater.mjs"), join(directory, "headwater"));
    writeFileSync(join(directory, "flags.yaml"), /```yaml\n([\s\S]*?)```/.exec(page)?.[1] ?? "");
    for (const name of ["upstream", "acme", "plant"])
      nodes.set(name, await NodeProcess.start(name, windows));
  }, 240_000);

  afterEach(async () => {
    apps?.kill("SIGKILL");
    for (const node of nodes.values()) await node[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true, force: true });
  });

  test("happens as it is shown", async (context) => {
    const steps = stepsOf(page);
    expect(steps.length).toBeGreaterThan(20);
    for (const step of steps) {
      if (step.command.startsWith("headwater rollout start")) apps = startApps(nodes.get("plant"));
      // What has to come from another node takes a moment; what changes something is typed once.
      const isAsked = /^headwater (census show|explain|gate|rollout status|telemetry preview)/.test(
        step.command,
      );
      const typed = `${step.who}$ ${step.command}`;
      if (isAsked) await eventually(typed, () => typeAndRead(step), 120_000);
      else await typeAndRead(step);
    }
    const root = nodes.get("upstream");
    if (root !== undefined) await lookAtDashboard(context, root);
  }, 900_000);
});

test("its pictures are there", () => {
  const shown = [...page.matchAll(/!\[[^\]]+\]\(([^)]+)\)/g)].map(([, path = ""]) => path);
  expect(shown.length).toBeGreaterThan(1);
  for (const path of shown)
    expect([path, existsSync(join(rootDir, "docs", path))]).toEqual([path, true]);
});
