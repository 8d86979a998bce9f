import { parsePercent } from "../../../relay/flag/percent.ts";
import { parseRange } from "../../../relay/flag/version-range.ts";
import { noteLengthMax } from "../../../relay/limits.ts";
import { HeadwaterError } from "../../error.ts";
import { everyBuild } from "./kill-range.ts";

/**
 * The releases of `--versions`; empty is every build.
 * @throws HeadwaterError `invalid`
 */
export function rangeOption(text: string): string {
  const range = parseRange(text);
  if ("problem" in range)
    throw new HeadwaterError({ kind: "invalid", message: `--versions: ${range.problem}` });
  return text.trim() === everyBuild ? "" : text;
}

/**
 * The note of `--note`.
 * @throws HeadwaterError `invalid`
 */
export function noteOption(text: string): string {
  if (text.length <= noteLengthMax) return text;
  const message = `--note: ${text.length} characters; at most ${noteLengthMax} are allowed`;
  throw new HeadwaterError({ kind: "invalid", message });
}

/**
 * Basis points of a PERCENT argument.
 * @throws HeadwaterError `invalid`
 */
export function percentArgument(text: string): number {
  const basisPoints = parsePercent(text);
  if (typeof basisPoints === "number") return basisPoints;
  throw new HeadwaterError({ kind: "invalid", message: `PERCENT: ${basisPoints.problem}` });
}
