// Tries hostile inputs at every door, and prints what became of them.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import Table from "cli-table3";
import { HeadwaterError } from "../nodes/error.ts";
import { type DoorOutcome, doorShare, runDoors } from "../test/fuzz/doors.ts";
import { runFuzz } from "../test/fuzz/fuzz-run.ts";
import type { Finding, SessionOutcome } from "../test/fuzz/fuzz-session.ts";
import { targets } from "../test/fuzz/targets.ts";
import { helpOf, readOptions, runScript } from "./run-script.ts";

const help = `Usage: npm run fuzz -- [OPTIONS]

Makes inputs from valid ones by altering bytes, fields and texts, and tries them: frames, requests,
NATS messages, tokens, reports, documents, flag files, settings, stored records and files, each
within a thread that is watched; then HTTP, gRPC and raw bytes on every port of a node that runs.

None may crash, hang, take memory that is not given back, or change what is trusted. An input that
does is made shorter and written to a file.

Options:
  --inputs N     inputs in all (default 1000000)
  --seed N       other inputs (default 1)
  --only TEXT    only targets that have this in their name, such as frames or sockets
  --blind        make inputs from the valid ones alone, not from those that have reached new code
  --json         print what came of it as JSON; progress is told on stderr
  --help         print this

Ends with 1 if something was found.

Example:
  $ npm run fuzz -- --only flag --inputs 20000
`;

const { values } = readOptions("fuzz", {
  options: {
    inputs: { type: "string", default: "1000000" },
    seed: { type: "string", default: "1" },
    only: { type: "string", default: "" },
    blind: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

const foundDirectory = join(import.meta.dirname, "../node_modules/.cache/headwater/fuzz");

await runScript("fuzz", run);

async function run(): Promise<number> {
  if (values.help) {
    process.stdout.write(help);
    return 0;
  }
  const [inputsCount, seed] = [numberOf("inputs"), numberOf("seed")];
  const onProgress = (line: string): void => void process.stderr.write(`${line}\n`);
  const files: string[] = [];
  const onFinding = (finding: Finding): void => {
    const file = keepFinding(finding, files.length);
    files.push(file);
    onProgress(`${finding.target}: ${file}`);
  };
  const chosen = targets.filter(({ name }) => name.includes(values.only));
  const withDoors = "sockets".includes(values.only);
  if (chosen.length === 0 && !withDoors) throw invalid(`--only: no target has ${values.only}`);
  const doorsCount = Math.ceil(inputsCount * (chosen.length === 0 ? 1 : doorShare));
  const inThreads = await runFuzz({
    targets: chosen,
    inputsCount: withDoors ? inputsCount - doorsCount : inputsCount,
    seed,
    isGuided: !values.blind,
    onProgress,
    onFinding,
  });
  const doors = withDoors
    ? await runDoors({ inputsCount: doorsCount, seed, onProgress })
    : undefined;
  doors?.findings.forEach(onFinding);
  const findings = [...inThreads.findings, ...(doors?.findings ?? [])];
  const { outcomes } = inThreads;
  if (values.json) {
    const found = findings.map(({ target, what }, index) => ({ target, what, file: files[index] }));
    process.stdout.write(
      `${JSON.stringify({ outcomes, doors: doors?.outcomes, found }, null, 2)}\n`,
    );
  } else {
    if (outcomes.length > 0) showThreads(outcomes);
    if (doors !== undefined) showDoors(doors.outcomes, doors.sentences);
    process.stdout.write(`found: ${findings.length}\n`);
    for (const [index, { target, what }] of findings.entries())
      process.stdout.write(`  ${target}: ${what.split("\n")[0] ?? ""}\n    ${files[index]}\n`);
  }
  return findings.length === 0 ? 0 : 1;
}

function keepFinding({ target, what, input }: Finding, index: number): string {
  mkdirSync(foundDirectory, { recursive: true });
  const file = join(foundDirectory, `${target.replaceAll(/\W+/g, "-")}-${index}`);
  writeFileSync(`${file}.bin`, input);
  writeFileSync(`${file}.txt`, `${what}\n`);
  return `${file}.bin`;
}

function showThreads(outcomes: readonly SessionOutcome[]): void {
  const head = [
    "input",
    "inputs",
    "taken",
    "refused",
    "kept",
    "code reached",
    "slowest",
    "heap",
    "time",
  ];
  const table = new Table({ head, style: { head: [], border: [] } });
  for (const one of outcomes)
    table.push([
      one.target,
      one.inputsCount,
      one.acceptedCount,
      one.refusedCount,
      one.keptCount,
      `${Math.round(one.charactersCount / 1_000)} k`,
      `${one.slowestMs.toFixed(1)} ms`,
      `${(one.heapGrowthBytes / 2 ** 20).toFixed(1)} MiB`,
      `${Math.round(one.tookMs / 1_000)} s`,
    ]);
  const sum = outcomes.reduce((total, { inputsCount }) => total + inputsCount, 0);
  process.stdout.write(`${table.toString()}\n${sum} inputs within threads\n\n`);
}

function showDoors(outcomes: readonly DoorOutcome[], sentences: readonly string[]): void {
  const head = ["port", "inputs", "answered", "refused", "closed", "time"];
  const table = new Table({ head, style: { head: [], border: [] } });
  for (const { door, inputsCount, okCount, refusedCount, closedCount, tookMs } of outcomes)
    table.push([
      door,
      inputsCount,
      okCount,
      refusedCount,
      closedCount,
      `${Math.round(tookMs / 1_000)} s`,
    ]);
  const sum = outcomes.reduce((total, { inputsCount }) => total + inputsCount, 0);
  process.stdout.write(`${table.toString()}\n${sum} inputs at ports\n${sentences.join("\n")}\n\n`);
}

function numberOf(name: "inputs" | "seed"): number {
  const number = Number(values[name]);
  if (Number.isSafeInteger(number) && number >= 1) return number;
  throw invalid(`--${name}: ${JSON.stringify(values[name])} is not a whole number above 0`);
}

function invalid(message: string): HeadwaterError {
  return new HeadwaterError({ kind: "invalid", message, hint: helpOf("fuzz") });
}
