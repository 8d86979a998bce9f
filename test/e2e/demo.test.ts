import { once } from "node:events";
import { resolve } from "node:path";
import process from "node:process";
import { expect, test } from "vitest";
import { eventually } from "../../scripts/demo/eventually.ts";
import { expectNothingLeft, type ScriptRun, startScript } from "../scripts/script-run.ts";

const demo = resolve(import.meta.dirname, "../../scripts/demo.ts");

function startDemo(args: readonly string[], env?: Readonly<Record<string, string>>): ScriptRun {
  return startScript([process.execPath, demo, ...args], env);
}

test.for([
  { args: ["--once"], more: [] },
  {
    args: ["--once", "--site-nodes", "3"],
    more: ["plant-1 is a site of 3 nodes that share NATS"],
  },
])(
  "npm start -- $args tells the whole tour, ends with 0 and leaves nothing",
  { timeout: 600_000 },
  async ({ args, more }) => {
    // What somebody has set for their own nodes and apps is not for these.
    const run = startDemo(args, { DO_NOT_TRACK: "1", HEADWATER_URL: "http://127.0.0.1:9" });
    const ending = await once(run.child, "close");
    const said = run.said();
    expect({ ending, said }).toMatchObject({ ending: [0, null] });
    const titles = said.split("\n").filter((line) => /^\S/.test(line));
    expect(titles).toEqual([
      "A mesh: a root, a vendor and two sites, each a process",
      "Flags come from a file, and apps ask for them",
      "A flag is ramped at the root",
      "It is killed",
      "A real rollout history goes through the mesh",
      "Telemetry goes up",
      "The vendor's node is killed, with SIGKILL",
      "The root is gone, and a site restarts meanwhile",
      ...more,
      "Look around",
      "Every step did what it says.",
    ]);
    expect(said).toContain("40 of 40 instances are on");
    expect(said).toMatch(/p50 [\d.]+ ms, p99 [\d.]+ ms, slowest [\d.]+ ms/);
    await expectNothingLeft(run);
  },
);

test("interrupted, it ends at once and leaves nothing", async () => {
  const run = startDemo([]);
  await eventually("nodes run", () => run.said().includes("headwater init"), 60_000);
  run.child.kill("SIGTERM");
  expect(await once(run.child, "close")).toEqual([143, null]);
  expect(run.said()).toContain("interrupted before the tour was over");
  await expectNothingLeft(run);
});

test("ended by whoever ends npm, it leaves nothing", async () => {
  const rootDir = resolve(import.meta.dirname, "../..");
  // npm keeps what it has compiled in the folder for temporary files.
  const run = startScript(["npm", "--prefix", rootDir, "start", "--", "--once"], {
    NODE_DISABLE_COMPILE_CACHE: "1",
  });
  await eventually("nodes run", () => run.said().includes("headwater init"), 60_000);
  run.child.kill("SIGTERM");
  await once(run.child, "close");
  expect(run.said()).toContain("interrupted before the tour was over");
  await expectNothingLeft(run);
});

test("an unknown option is refused, and --help shows an example", async () => {
  const help = startDemo(["--help"]);
  expect(await once(help.child, "close")).toEqual([0, null]);
  expect(help.said()).toContain("npm start -- --once");
  for (const args of [["--twice"], ["--site-nodes", "0"], ["--site-nodes", "many"]]) {
    const wrong = startDemo(args);
    expect(await once(wrong.child, "close")).toEqual([1, null]);
    expect(wrong.said()).toMatch(new RegExp(`^error: .*${args[0]}`));
  }
});
