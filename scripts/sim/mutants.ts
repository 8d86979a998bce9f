import { availableParallelism } from "node:os";
import type { Mutant } from "../../test/sim/mutant.ts";
import { mutants } from "../../test/sim/mutants.ts";
import { type Caught, tryMutant } from "../../test/sim/mutation.ts";

/** A mutant that none of these seeds catches is one that a test run would let pass. */
const seedsMax = 300;

/** Tries all mutants; the exit code. */
export async function runMutants(workersCount: number | undefined): Promise<number> {
  const count = workersCount ?? availableParallelism();
  const waiting = [...mutants];
  let caughtCount = 0;
  const work = async (): Promise<void> => {
    for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
      const { seed, by } = await outcomeOf(mutant);
      if (seed !== undefined) caughtCount++;
      const verdict = seed === undefined ? "NOT CAUGHT" : `seed ${seed}`;
      process.stdout.write(`${verdict.padEnd(12)}${by.padEnd(5)}${mutant.name} (${mutant.file})\n`);
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, count) }, work));
  process.stdout.write(`${mutants.length} mutants, ${caughtCount} caught\n`);
  return caughtCount === mutants.length ? 0 : 1;
}

/** One whose text is not in the core any more has to be written anew; the others go on. */
async function outcomeOf(mutant: Mutant): Promise<Caught> {
  try {
    return await tryMutant({ mutant, seedsMax });
  } catch (thrown) {
    return { seed: undefined, by: thrown instanceof Error ? thrown.message : String(thrown) };
  }
}
