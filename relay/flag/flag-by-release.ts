import { BASIS_POINTS_MAX } from "./bucket.ts";
import { decide, type EffectiveFlag } from "./effective-flag.ts";

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

/** The apps that are meant: of one version, one instance, both; empty for all of them. */
export interface FlagScope {
  readonly version: string;
  readonly instance: string;
}

/** The flag as if there were no other apps. For one instance nothing is left to be bucketed. */
export function onlyFor(flag: FlagByRelease, { version, instance }: FlagScope): FlagByRelease {
  const { name } = flag;
  const ofVersion = version === "" ? flag : { name, unknown: flagFor(flag, version), releases: [] };
  if (instance === "") return ofVersion;
  return {
    name,
    unknown: settled(ofVersion.unknown, instance),
    releases: ofVersion.releases.map((of) => ({ ...of, flag: settled(of.flag, instance) })),
  };
}

function settled(flag: EffectiveFlag, instance: string): EffectiveFlag {
  const { enabled } = decide(flag, instance, false);
  return { ...flag, basisPoints: enabled ? BASIS_POINTS_MAX : 0 };
}
