import { resolveRelease } from "../flag/release.ts";
import { parseVersion } from "../flag/version.ts";
import type { Layer } from "./layer.ts";
import type { Overlay } from "./overlay.ts";
import type { Build } from "./scope.ts";

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
