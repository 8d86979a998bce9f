import type { Version } from "../flag/version.ts";
import { isEverything, isInRange, parseRange, type Range } from "../flag/version-range.ts";

/** What an app's version is taken for. A build that is no published release has neither part. */
export interface Build {
  /** Empty for an unknown build. */
  readonly release: string;
  readonly version: Version | undefined;
}

/** The builds that a flag, a kill or a cap is about. */
export type Scope = "every" | Range;

/** An empty text and `*` are every build; undefined is not understood. */
export function parseScope(text: string): Scope | undefined {
  if (text === "") return "every";
  const range = parseRange(text);
  if ("problem" in range) return undefined;
  return isEverything(range) ? "every" : range;
}

/** Unknown builds are outside every range. */
export function allows(scope: Scope, build: Build): boolean {
  if (scope === "every") return true;
  return build.version !== undefined && isInRange(build.version, scope);
}

/** Unknown builds are inside every ranged kill: they fail safe. */
export function kills(scope: Scope, build: Build): boolean {
  if (scope === "every" || build.version === undefined) return true;
  return isInRange(build.version, scope);
}
