import { expect, test } from "vitest";
import { Random } from "../../relay/random.ts";
import { censusRun } from "./census-model.ts";

/** `CENSUS_RUNS=100000 npx vitest run test/privacy/census.test.ts` takes some minutes. */
const runsCount = Number(process.env["CENSUS_RUNS"] ?? 100);

test("what was used is never said to be unused, whatever is lost, late, restarted or skewed", () => {
  const random = new Random(20_260_101);
  const counts = { USED: 0, UNKNOWN: 0, UNUSED: 0, falselyUnused: 0 };
  for (let run = 0; run < runsCount; run++)
    for (const { isUsed, answer } of censusRun(random).answers) {
      counts[answer]++;
      if (isUsed && answer === "UNUSED") counts.falselyUnused++;
    }
  process.stdout.write(`census, ${runsCount} runs: ${JSON.stringify(counts)}\n`);
  expect(counts.falselyUnused).toBe(0);
  // A census that never says anything would be right as well.
  expect(counts.UNUSED).toBeGreaterThan(runsCount / 30);
  expect(counts.USED).toBeGreaterThan(runsCount / 2);
}, 600_000);
