import { censusMutants } from "./census-mutants.ts";
import { meaningMutants } from "./meaning-mutants.ts";
import type { Mutant } from "./mutant.ts";
import { stateMutants } from "./state-mutants.ts";

/** Each has to be caught by the simulator: what is not is a promise that nobody looks at. */
export const mutants: readonly Mutant[] = [...stateMutants, ...meaningMutants, ...censusMutants];
