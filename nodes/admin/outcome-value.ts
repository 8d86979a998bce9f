import type { Outcome } from "../../relay/refusal.ts";
import { HeadwaterError } from "../error.ts";

/** @throws HeadwaterError when it was refused */
export function outcomeValue<T>(outcome: Outcome<T>): T {
  if (outcome.ok) return outcome.value;
  throw HeadwaterError.refused(outcome.refusal);
}
