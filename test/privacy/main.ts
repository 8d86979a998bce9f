// How well can a parent find out how large a site is, and is what it is told true? Runs the attacks
// against the code that makes documents, and prints the tables of docs/privacy.md.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type CensusRuns, censusRuns } from "./census-runs.ts";
import { type Findings, hostileStrings, investigate, missed } from "./laboratory.ts";
import { pictureOf } from "./picture.ts";
import { verdictShares } from "./release-verdicts.ts";
import { tablesOf } from "./tables.ts";

const usage = `npm run privacy [-- OPTIONS]

Attacks the telemetry of simulated sites, and prints how often their size was found out, how often a
census and a verdict said what is not so, and what they have to be.
Ends with 1 when a bound is missed, 2 when it is used wrongly.

  --json       the findings for machines
  --write      keep them: test/privacy/findings.json, the tables of docs/privacy.md, docs/privacy.svg
  --kept       do not run anything: print what is kept
  --census N   only N runs of a census, against what was really used (100 000 take about 10 minutes)
  --from N     after the first N, which are kept, to run many in parts
  --verdicts N only N releases of each kind, and what is said of them
  --strings    only what leaves of strings that the project has never published
  --seed N     another seed than 1
  --training N, --attacked N   sites of each size (40, 80)
  --help       this`;

const findingsPath = join(import.meta.dirname, "findings.json");
const pagePath = join(import.meta.dirname, "../../docs/privacy.md");
const picturePath = join(import.meta.dirname, "../../docs/privacy.svg");
const marks = ["<!-- npm run privacy -->", "<!-- end -->"] as const;

/** Of each, when nothing else is asked for. */
const runsOfAll = { hopTrials: 12, censusRuns: 5_000, verdictRuns: 2_000 };

process.exitCode = main();

function main(): number {
  const options = parsed();
  if (options === undefined) return 2;
  if (options.help === true) {
    process.stdout.write(`${usage}\n`);
    return 0;
  }
  const found = findingsOf(options);
  if (options.write === true) keep({ ...kept(), ...found });
  const json = JSON.stringify(found, undefined, 2);
  process.stdout.write(`${options.json === true ? json : tablesOf(found)}\n`);
  return codeOf(missed(found));
}

/** Everything, or the part that was asked for. */
function findingsOf(options: NonNullable<ReturnType<typeof parsed>>): Partial<Findings> {
  const tell = (line: string): void => {
    process.stderr.write(`${line}\n`);
  };
  const seed = Number(options.seed);
  if (options.kept === true) return kept();
  if (options.census !== undefined) {
    const [runsCount, from] = [Number(options.census), Number(options.from)];
    const runs = censusRuns({ runsCount, from, seed, tell });
    return { census: from === 0 ? runs : sumOf(kept().census, runs, from) };
  }
  if (options.verdicts !== undefined)
    return { verdicts: verdictShares({ runsCount: Number(options.verdicts), seed }) };
  if (options.strings === true) return { hostile: hostileStrings(seed) };
  const scale = { training: Number(options.training), attacked: Number(options.attacked) };
  return investigate({ ...runsOfAll, scale, seed, tell });
}

function sumOf(before: CensusRuns, after: CensusRuns, from: number): CensusRuns {
  if (before.runsCount !== from) throw new Error(`--from: ${before.runsCount} runs are kept`);
  const keys = Object.keys(before) as (keyof CensusRuns)[];
  return Object.fromEntries(
    keys.map((key) => [key, before[key] + after[key]]),
  ) as unknown as CensusRuns;
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
        verdicts: { type: "string" },
        strings: { type: "boolean" },
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

function kept(): Findings {
  return JSON.parse(readFileSync(findingsPath, "utf8")) as Findings;
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
