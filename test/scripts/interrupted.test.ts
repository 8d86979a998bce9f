import { once } from "node:events";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { expect, test } from "vitest";
import { eventually } from "../../scripts/demo/eventually.ts";
import { expectNothingLeft, type ScriptRun, startScript } from "./script-run.ts";

function start(script: string, ...args: string[]): ScriptRun {
  return startScript([
    process.execPath,
    join(import.meta.dirname, "../../scripts", script),
    ...args,
  ]);
}

test.for([
  { script: "hostile.ts", args: [], signal: "SIGTERM", nodesCount: 3 },
  // A terminal that is closed; a node itself only reads its certificates again then.
  { script: "hostile.ts", args: [], signal: "SIGHUP", nodesCount: 3 },
  { script: "interop.ts", args: ["typescript"], signal: "SIGTERM", nodesCount: 1 },
] as const)(
  "$script, ended by $signal, leaves no node behind",
  {
    timeout: 120_000,
  },
  async ({ script, args, signal, nodesCount }) => {
    const run = start(script, ...args);
    const nodes = (): string[] =>
      readdirSync(run.temporaryDir, { recursive: true, encoding: "utf8" }).filter((path) =>
        path.endsWith("headwater.db"),
      );
    await eventually("its nodes run", () => nodes().length === nodesCount, 60_000);
    run.child.kill(signal);
    expect(await once(run.child, "close")).toEqual([1, null]);
    await expectNothingLeft(run);
  },
);

test.for(["chaos", "fuzz", "hostile", "install-peers", "interop", "sim", "soak"])(
  "%s refuses an option that it does not know, in a line and with where to look",
  async (name) => {
    const run = start(`${name}.ts`, "--bogus");
    expect(await once(run.child, "close")).toEqual([1, null]);
    expect(run.said()).toMatch(new RegExp(`^${name}: Unknown option '--bogus'.*\n`));
    expect(run.said()).toMatch(new RegExp(`\n  hint: npm run ${name} -- --help\n$`));
    const help = start(`${name}.ts`, "--help");
    expect(await once(help.child, "close")).toEqual([0, null]);
    expect(help.said()).toContain(`Usage: npm run ${name}`);
  },
);

test.for([
  { args: ["--seeds", "0"], said: '--seeds: "0" is not a whole number from 1 on' },
  { args: ["--from="], said: '--from: "" is not a whole number from 0 on' },
  { args: ["--scale", "--instances", "999"], said: "--instances: .* from 1000 on" },
])("sim refuses $args, which would say that all is well without a look", async ({ args, said }) => {
  const run = start("sim.ts", ...args);
  expect(await once(run.child, "close")).toEqual([1, null]);
  expect(run.said()).toMatch(new RegExp(`^sim: ${said}\n  hint: npm run sim -- --help\n$`));
});

test("a node that is only about to start leaves nothing behind", async () => {
  const nodeProcess = join(import.meta.dirname, "../../scripts/demo/node-process.ts");
  const program = `
    const { NodeProcess } = await import(${JSON.stringify(nodeProcess)});
    void NodeProcess.start("upstream");
    process.exit();`;
  const run = startScript([process.execPath, "--input-type=module", "--eval", program]);
  expect(await once(run.child, "close")).toEqual([0, null]);
  await expectNothingLeft(run);
});
