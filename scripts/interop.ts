// Tries published providers and SDKs of other languages, each from its registry, against a real node.
import process from "node:process";
import { drill } from "./interop/drill.ts";
import { reportDrill } from "./interop/report-drill.ts";
import { go, java, NotToBeHad, python, pythonProgram, typescript } from "./interop/toolchain.ts";
import { readOptions, runScript } from "./run-script.ts";

const help = `Usage: npm run interop [-- NAME...]

Installs the published OpenFeature provider of each language from its registry and lets a small
program look on while a flag is ramped and killed, and its node goes and comes again. otlp-python
reports by OpenTelemetry. What can not be had here is skipped, with the reason.

Names: typescript, go, python, java, otlp-python (default: all)

Example:
  $ npm run interop -- python otlp-python
`;

const say = (line: string): void => void process.stdout.write(`${line}\n`);

const trials: Readonly<Record<string, () => Promise<void>>> = {
  ...Object.fromEntries(
    [typescript, go, python, java].map((toolchain) => [
      toolchain.language,
      () => drill({ toolchain, say }),
    ]),
  ),
  "otlp-python": async () => reportDrill({ command: await pythonProgram("report.py"), say }),
};

const { values, positionals } = readOptions("interop", {
  allowPositionals: true,
  options: { help: { type: "boolean" } },
});

await runScript("interop", run);

async function run(): Promise<number> {
  const unknown = positionals.filter((name) => !Object.hasOwn(trials, name));
  if (unknown.length > 0) {
    process.stderr.write(`error: no such name: ${unknown.join(", ")}\n${help}`);
    return 2;
  }
  if (values.help !== true)
    return tryAll(positionals.length > 0 ? positionals : Object.keys(trials));
  process.stdout.write(help);
  return 0;
}

async function tryAll(names: readonly string[]): Promise<number> {
  const outcomes: string[] = [];
  for (const name of names) outcomes.push(await tried(name));
  say(`\n${outcomes.join("\n")}`);
  return outcomes.some((outcome) => outcome.includes("FAILED")) ? 1 : 0;
}

async function tried(name: string): Promise<string> {
  say(`\n== ${name}`);
  try {
    await trials[name]?.();
    return `${name}: ok`;
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    return thrown instanceof NotToBeHad ? `${name}: skipped: ${why}` : `${name}: FAILED: ${why}`;
  }
}
