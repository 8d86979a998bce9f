import { Random } from "../../relay/random.ts";
import { censusRun } from "./census-model.ts";

/** How often each word was said of a window, and how often `unused` of one that was used. */
export interface CensusRuns {
  readonly runsCount: number;
  readonly USED: number;
  readonly UNKNOWN: number;
  readonly UNUSED: number;
  readonly falselyUnused: number;
}

/** Below this share of runs with an `unused`, that none was false would say little. */
const unusedLeast = 1 / 20;

export function censusRuns(of: {
  runsCount: number;
  seed: number;
  tell?: (line: string) => void;
}): CensusRuns {
  const random = new Random(of.seed);
  const counts = { USED: 0, UNKNOWN: 0, UNUSED: 0, falselyUnused: 0 };
  for (let run = 0; run < of.runsCount; run++) {
    for (const { isUsed, answer } of censusRun(random).answers) {
      counts[answer]++;
      if (isUsed && answer === "UNUSED") counts.falselyUnused++;
    }
    if ((run + 1) % 1_000 === 0) of.tell?.(`census, ${run + 1} runs: ${JSON.stringify(counts)}`);
  }
  return { runsCount: of.runsCount, ...counts };
}

/** Why runs do not show what they are for, a sentence each. */
export function censusProblems({ runsCount, falselyUnused, UNUSED, USED }: CensusRuns): string[] {
  return [
    ...(falselyUnused === 0 ? [] : [`census: ${falselyUnused} windows that were used are unused`]),
    ...(UNUSED > runsCount * unusedLeast ? [] : [`census: only ${UNUSED} windows are unused`]),
    ...(USED > runsCount / 2 ? [] : [`census: only ${USED} windows are used`]),
  ];
}
