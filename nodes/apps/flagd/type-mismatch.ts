import { HeadwaterError } from "../../error.ts";
import type { Evaluation } from "./evaluation.ts";

/** All flags here are boolean; clients tell TYPE_MISMATCH by the code that this becomes. */
export function typeMismatch({ flag }: Evaluation): never {
  throw new HeadwaterError({
    kind: "invalid",
    message: `Type mismatch error (${flag} is boolean)`,
  });
}
