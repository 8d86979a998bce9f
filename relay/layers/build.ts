import { resolveRelease } from "../flag/release.ts";
import { parseVersion, type Version } from "../flag/version.ts";
import { isEverything, isInRange, parseRange, type Range } from "../flag/version-range.ts";
import type { Layer } from "./layer.ts";
import type { Overlay } from "./overlay.ts";

/** What an app's version is taken for. A build that is no published release has neither part. */
export interface Build {
  /** Empty for an unknown build. */
  readonly release: string;
  readonly version: Version | undefined;
}

const unknownBuild: Build = { release: "", version: undefined };

/**
 * The project's own releases and aliases go first. Of overlays only aliases count, and of those
 * only granted ones; where two say otherwise nobody is right, so that their order does not matter.
 */
export function buildOf(own: Layer, overlays: readonly Overlay[], version: string): Build {
  const release = resolveRelease(version, own) ?? aliasedRelease(own, overlays, version);
  return release === undefined ? unknownBuild : { release, version: parseVersion(release) };
}

function aliasedRelease(
  own: Layer,
  overlays: readonly Overlay[],
  version: string,
): string | undefined {
  if (own.aliases.has(version)) return undefined;
  const said = overlays.flatMap(({ layer, mayAlias }) =>
    mayAlias ? (layer.aliases.get(version) ?? []) : [],
  );
  const [release, ...others] = new Set(said);
  if (release === undefined || others.length > 0) return undefined;
  return own.releases.has(release) ? release : undefined;
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
