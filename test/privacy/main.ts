// How well can a parent find out how large a site is? Runs the attacks against the code that makes
// documents, and prints the tables of docs/privacy.md.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { censusProblems, censusRuns } from "./census-runs.ts";
import { type Findings, investigate, missed } from "./laboratory.ts";
import { pictureOf } from "./picture.ts";
import { tablesOf } from "./tables.ts";

const usage = `npm run privacy [-- OPTIONS]

Attacks the telemetry of simulated sites, and prints how often their size was found out.
Ends with 1 when a bound is missed, 2 when it is used wrongly.

  --json       the findings for machines
  --write      keep them: test/privacy/findings.json, the tables of docs/privacy.md, docs/privacy.svg
  --kept       do not run anything: print what is kept
  --census N   only N runs of a census, against what was really used (100 000 take about 20 minutes)
  --from N     the first of them (0), to run many in parts
  --seed N     another seed than 1
  --training N, --attacked N   sites of each size (40, 80)
  --help       this`;

const findingsPath = join(import.meta.dirname, "findings.json");
const pagePath = join(import.meta.dirname, "../../docs/privacy.md");
const picturePath = join(import.meta.dirname, "../../docs/privacy.svg");
const marks = ["<!-- npm run privacy -->", "<!-- end -->"] as const;

process.exitCode = main();

function main(): number {
  const options = parsed();
  if (options === undefined) return 2;
  if (options.help === true) {
    process.stdout.write(`${usage}\n`);
    return 0;
  }
  if (options.census !== undefined) {
    const [runsCount, from, seed] = [options.census, options.from, options.seed].map(Number) as [
      number,
      number,
      number,
    ];
    return runCensus({ runsCount, from, seed });
  }
  const findings =
    options.kept === true
      ? (JSON.parse(readFileSync(findingsPath, "utf8")) as Findings)
      : investigate({
          scale: { training: Number(options.training), attacked: Number(options.attacked) },
          hopTrials: 12,
          seed: Number(options.seed),
          tell: (line) => process.stderr.write(`${line}\n`),
        });
  if (options.write === true) keep(findings);
  const json = JSON.stringify(findings, undefined, 2);
  process.stdout.write(`${options.json === true ? json : tablesOf(findings)}\n`);
  return codeOf(missed(findings));
}

function runCensus(of: { runsCount: number; from: number; seed: number }): number {
  const runs = censusRuns({ ...of, tell: (line) => process.stderr.write(`${line}\n`) });
  process.stdout.write(`${JSON.stringify(runs, undefined, 2)}\n`);
  return codeOf(censusProblems(runs));
}

function codeOf(problems: readonly string[]): number {
  for (const problem of problems) process.stderr.write(`missed: ${problem}\n`);
  return problems.length === 0 ? 0 : 1;
}

function parsed() {
  try {
    return parseArgs({
      options: {
        json: { type: "boolean" },
        write: { type: "boolean" },
        kept: { type: "boolean" },
        help: { type: "boolean" },
        census: { type: "string" },
        from: { type: "string", default: "0" },
        seed: { type: "string", default: "1" },
        training: { type: "string", default: "40" },
        attacked: { type: "string", default: "80" },
      },
    }).values;
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${usage}\n`);
    return undefined;
  }
}

function keep(findings: Findings): void {
  writeFileSync(picturePath, pictureOf(findings));
  writeFileSync(findingsPath, `${JSON.stringify(findings, undefined, 2)}\n`);
  const page = readFileSync(pagePath, "utf8");
  const [before, after] = [page.indexOf(marks[0]), page.indexOf(marks[1])];
  if (before < 0 || after < 0) throw new Error(`${pagePath}: no place for the tables`);
  const head = page.slice(0, before + marks[0].length);
  writeFileSync(pagePath, `${head}\n\n${tablesOf(findings)}\n\n${page.slice(after)}`);
}
