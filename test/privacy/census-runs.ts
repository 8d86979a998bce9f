import { Random } from "../../relay/random.ts";
import { censusRun } from "./census-model.ts";

/** How often each word was said of a window, and how often `unused` of one that was used. */
export interface CensusRuns {
  readonly runsCount: number;
  readonly USED: number;
  readonly UNKNOWN: number;
  readonly UNUSED: number;
  /** An instance had used it that a node knew of. */
  readonly falselyUnused: number;
  /** Instances had used it of which nothing was ever heard, or kept: nobody can know of these. */
  readonly unheardUnused: number;
}

/** Below this share of runs with an `unused`, that none was false would say little. */
const unusedLeast = 1 / 20;

/** Each run has a seed of its own, so that one can be run again, and many in parts. */
export function censusRuns(of: {
  runsCount: number;
  seed: number;
  from?: number;
  tell?: (line: string) => void;
}): CensusRuns {
  const { runsCount, from = 0, tell = () => {} } = of;
  const counts = { USED: 0, UNKNOWN: 0, UNUSED: 0, falselyUnused: 0, unheardUnused: 0 };
  for (let run = from; run < from + runsCount; run++) {
    for (const { isUsed, isTraced, answer } of censusRun(randomOf(of.seed, run)).answers) {
      counts[answer]++;
      if (!isUsed || answer !== "UNUSED") continue;
      tell(
        `census, run ${run}: unused, and ${isTraced ? "it was used" : "nobody heard who used it"}`,
      );
      if (isTraced) counts.falselyUnused++;
      else counts.unheardUnused++;
    }
    if ((run + 1) % 1_000 === 0) tell(`census, ${run + 1 - from} runs: ${JSON.stringify(counts)}`);
  }
  return { runsCount, ...counts };
}

function randomOf(seed: number, run: number): Random {
  return new Random(new Random(seed).uint32() + run);
}

/** Why runs do not show what they are for, a sentence each. */
export function censusProblems({ runsCount, falselyUnused, UNUSED, USED }: CensusRuns): string[] {
  return [
    ...(falselyUnused === 0 ? [] : [`census: ${falselyUnused} windows that were used are unused`]),
    ...(UNUSED > runsCount * unusedLeast ? [] : [`census: only ${UNUSED} windows are unused`]),
    ...(USED > runsCount / 2 ? [] : [`census: only ${USED} windows are used`]),
  ];
}
