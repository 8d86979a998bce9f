// Everything that must hold before a change is merged, cheapest first.
// Runs all of it even after a failure, and ends with one line of counts.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { auditDependencies } from "./dependency-audit.ts";

/** What a step came to; a text is the reason for a failure or for being left out. */
type Outcome = { passed: number; failed: number; output?: string; leftOut?: string };

const rootDir = join(import.meta.dirname, "..");
const { values: options } = parseArgs({
  // A report that vitest has written already, to be counted instead of running the tests again.
  options: { "tests-from": { type: "string" } },
});
const workDir = mkdtempSync(join(tmpdir(), "headwater-check-"));

const steps: Record<string, () => Outcome> = {
  "buf lint": () => run("buf", "lint"),
  "buf breaking": checkBreaking,
  "format and imports": () => run("biome", "check", "."),
  lint: () => run("oxlint"),
  types: () => run("tsc", "--noEmit", "--project", "."),
  "types of the page": () => run("tsc", "--noEmit", "--project", "nodes/dashboard/page"),
  "unused code": () => run("knip", "--no-progress"),
  "known holes": checkKnownHoles,
  tests: () => countTests(options["tests-from"] ?? runTests()),
  "generated code": checkGenerated,
};

try {
  const outcomes = Object.entries(steps).map(([name, step]) => report(name, step));
  const failedCount = sum(outcomes.map(({ failed }) => failed));
  process.stdout.write(
    `${sum(outcomes.map(({ passed }) => passed))} passed, ${failedCount} failed\n`,
  );
  process.exitCode = failedCount === 0 ? 0 : 1;
} finally {
  rmSync(workDir, { recursive: true, force: true });
}

function report(name: string, step: () => Outcome): Outcome {
  const startedMs = performance.now();
  const outcome = tried(step);
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  if (outcome.output !== undefined) process.stdout.write(`${outcome.output}\n`);
  const verdict = outcome.leftOut ?? (outcome.failed === 0 ? "ok" : "FAILED");
  process.stdout.write(`check: ${name}: ${verdict} (${seconds} s)\n`);
  return outcome;
}

/** A step that does not come to an end has failed, and takes nothing from the others. */
function tried(step: () => Outcome): Outcome {
  try {
    return step();
  } catch (thrown) {
    return { passed: 0, failed: 1, output: thrown instanceof Error ? thrown.message : "" };
  }
}

function run(command: string, ...args: string[]): Outcome {
  const path = join(rootDir, "node_modules", ".bin", command);
  const ended = spawnSync(path, args, { cwd: rootDir, encoding: "utf8" });
  if (ended.status === 0) return { passed: 1, failed: 0 };
  const output = ended.error?.message ?? `${ended.stdout}${ended.stderr}`.trim();
  return { passed: 0, failed: 1, output };
}

/**
 * The wire may not break what any version of ours speaks that is out there: an image of each is
 * kept, made at its release with `buf build -o test/wire/VERSION.binpb`.
 */
function checkBreaking(): Outcome {
  const images = readdirSync(join(rootDir, "test", "wire"));
  const outcomes = images.map((image) =>
    run("buf", "breaking", "--against", join("test", "wire", image)),
  );
  return outcomes.find(({ failed }) => failed > 0) ?? { passed: 1, failed: 0 };
}

/** Where the registry does not say, nothing is known: that is told, and fails nothing. */
function checkKnownHoles(): Outcome {
  const audit = auditDependencies(rootDir);
  switch (audit.is) {
    case "clean":
      return { passed: 1, failed: 0 };
    case "found":
      return { passed: 0, failed: 1, output: audit.holes.join("\n") };
    case "unknown":
      return { passed: 0, failed: 0, leftOut: `not known: ${audit.reason}` };
  }
}

/** Runs the tests before the eyes of the reader; answers the path of their report. */
function runTests(): string {
  const file = join(workDir, "tests.json");
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${file}`];
  const vitest = join(rootDir, "node_modules", ".bin", "vitest");
  spawnSync(vitest, ["run", ...reporters], { cwd: rootDir, stdio: "inherit" });
  return file;
}

function countTests(file: string): Outcome {
  const counted: unknown = JSON.parse(readFileSync(file, "utf8"));
  const { numPassedTests, numFailedTests, success } = counted as {
    numPassedTests: number;
    numFailedTests: number;
    success: boolean;
  };
  // A file that does not load fails the run with no failed test to show for it.
  const failed = success ? numFailedTests : Math.max(numFailedTests, 1);
  return { passed: numPassedTests, failed };
}

function checkGenerated(): Outcome {
  const generated = run("buf", "generate", "--output", workDir);
  if (generated.failed > 0) return generated;
  const fresh = filesIn(join(workDir, "gen"));
  const committed = filesIn(join(rootDir, "gen"));
  const names = new Set([...fresh.keys(), ...committed.keys()]);
  const different = [...names].filter((name) => fresh.get(name) !== committed.get(name)).sort();
  if (different.length === 0) return { passed: 1, failed: 0 };
  const output = `gen/ is not what proto/ says: ${different.join(", ")}\n  hint: npm run generate`;
  return { passed: 0, failed: 1, output };
}

function filesIn(dir: string): Map<string, string> {
  const files = readdirSync(dir, { recursive: true, withFileTypes: true });
  return new Map(
    files
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [path.slice(dir.length + 1), readFileSync(path, "utf8")]),
  );
}

function sum(numbers: number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
