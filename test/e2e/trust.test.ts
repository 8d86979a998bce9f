import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import process from "node:process";
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually } from "../../scripts/demo/eventually.ts";
import { NodeProcess } from "../../scripts/demo/node-process.ts";
import { type Client, connect } from "../../sdk/index.ts";

const checkout = resolve(import.meta.dirname, "../..");
const page = readFileSync(join(checkout, "docs/trust.md"), "utf8");
const names = ["upstream", "standby", "acme", "plant"] as const;

interface Step {
  readonly who: string;
  readonly command: string;
  /** Expected output; `…` stands for anything. */
  readonly output: string;
}

/** The commands of the page's transcripts, each with what it prints. */
function transcripts(): Step[] {
  const blocks = [...page.matchAll(/```console\n([\s\S]*?)```/g)].map(([, block = ""]) => block);
  return blocks.flatMap((block) =>
    block.split(/^(?=\w+\$ )/m).map((part) => {
      const [, who = "", command = "", output = ""] = /^(\w+)\$ (.*)\n([\s\S]*)$/.exec(part) ?? [];
      return { who, command, output };
    }),
  );
}

function matches(output: string, expected: string): boolean {
  const parts = expected.trimEnd().split("…");
  const pattern = parts
    .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replace(/ +/g, " +"))
    .join("[\\s\\S]*");
  return new RegExp(`^${pattern}\\s*$`).test(output);
}

let directory: string;
const nodes = new Map<string, NodeProcess>();

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "headwater-trust-"));
  symlinkSync(join(checkout, "scripts/headwater.mjs"), join(directory, "headwater"));
  for (const name of names) nodes.set(name, await NodeProcess.start(name));
});

afterAll(async () => {
  for (const node of nodes.values()) await node[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true, force: true });
});

/** What somebody types at a prompt, with all that is printed. */
function type({ who, command }: Step): Promise<string> {
  // The thief sits at upstream's machine; the drawer's has no node, and nothing to reach one.
  const node = nodes.get(who === "thief" ? "upstream" : who);
  const home = join(directory, `home-${node?.name ?? who}`);
  mkdirSync(home, { recursive: true });
  const env = {
    PATH: `${directory}:${join(process.execPath, "..")}:${process.env["PATH"]}`,
    HOME: home,
    NO_COLOR: "1",
    HEADWATER_ADMIN_URL: node?.operatorEnv["HEADWATER_ADMIN_URL"] ?? "http://127.0.0.1:1",
    HEADWATER_DATA_DIR: node?.dataDirectory ?? home,
  };
  return new Promise((done) => {
    const options = { cwd: directory, env, timeout: 60_000 };
    const line = `exec 2>&1\n${command}`;
    execFile("bash", ["-c", line], options, (_error, stdout) => done(stdout));
  });
}

test("docs/trust.md happens as it is shown, and apps see what it says", async () => {
  const steps = transcripts();
  expect(steps.length).toBeGreaterThan(40);
  const seen = new Map<string, string[]>();
  const apps: Client[] = [];
  const watch = async (name: string, version: string): Promise<void> => {
    const url = `http://${nodes.get(name)?.apps}`;
    const of = { url, project: "horizon", version, instance: "i-9", telemetry: "off" } as const;
    const app = await connect(of);
    const changes: string[] = [];
    seen.set(`${name} ${version}`, changes);
    app.on("change", ({ enabled, reason }) => changes.push(`${enabled ? "on" : "off"} ${reason}`));
    apps.push(app);
  };
  let shownCount = 0;
  for (const step of steps) {
    if (step.command.startsWith("headwater overlay cap")) {
      await watch("upstream", "2.3.0");
      await watch("acme", "2.3.0");
      await watch("plant", "2.3.0");
      await watch("plant", "2.3.0-4.el9");
    }
    // What has to come from another node takes a moment; what changes something is typed once.
    const isAsked =
      /^headwater (explain|keys show)|^thief/.test(step.command) || step.who === "thief";
    await eventually(
      `${step.who}$ ${step.command}`,
      async () => {
        const said = await type(step);
        if (!matches(said, step.output)) throw new Error(`it printed: ${said}`);
        return true;
      },
      isAsked ? 40_000 : 1,
    );
    shownCount++;
  }
  expect(shownCount).toBe(steps.length);
  for (const app of apps) await app.close();
  // No app ever saw a flag come on that its hop, or upstream, had off; only the thief's revival did.
  expect(Object.fromEntries(seen)).toEqual({
    "upstream 2.3.0": ["off KILLED", "on FULL", "off KILLED", "on FULL", "off KILLED"],
    "acme 2.3.0": ["off KILLED", "on CAPPED", "off KILLED", "on CAPPED", "off KILLED"],
    "plant 2.3.0": ["off KILLED", "on CAPPED", "off KILLED", "on CAPPED", "off KILLED"],
    "plant 2.3.0-4.el9": [
      "off KILLED",
      "on CAPPED",
      "off OUT_OF_RANGE",
      "on CAPPED",
      "off KILLED",
      "on CAPPED",
      "off KILLED",
    ],
  });
}, 900_000);
