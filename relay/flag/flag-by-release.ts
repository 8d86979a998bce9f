import type { EffectiveFlag } from "./effective-flag.ts";

/** What some releases get of a flag. */
export interface ReleasedFlag {
  readonly flag: EffectiveFlag;
  /** Names of the releases and the aliases of them, as apps state them. Never empty. */
  readonly versions: ReadonlySet<string>;
}

/** One flag as it is for every build of a project. */
export interface FlagByRelease {
  readonly name: string;
  /** For builds that are no published release, or do not say which they are. */
  readonly unknown: EffectiveFlag;
  /** Published releases that get something else; each version is in one of them at most. */
  readonly releases: readonly ReleasedFlag[];
}

/** The flag for an app that states this version. */
export function flagFor({ unknown, releases }: FlagByRelease, version: string): EffectiveFlag {
  return releases.find(({ versions }) => versions.has(version))?.flag ?? unknown;
}

/** The flag as if there were only builds of this version. */
export function onlyFor(flag: FlagByRelease, version: string): FlagByRelease {
  return { name: flag.name, unknown: flagFor(flag, version), releases: [] };
}
