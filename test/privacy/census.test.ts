import { expect, test } from "vitest";
import { censusProblems, censusRuns } from "./census-runs.ts";

/** `npm run privacy -- --census 100000` makes as many as are wanted. */
const runsCount = 100;

test("what was used is never said to be unused, whatever is lost, late, restarted or skewed", () => {
  const runs = censusRuns({ runsCount, seed: 20_260_101 });
  process.stdout.write(`census: ${JSON.stringify(runs)}\n`);
  expect(censusProblems(runs)).toEqual([]);
}, 600_000);
