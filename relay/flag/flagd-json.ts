import { BASIS_POINTS_MAX, HASH_VERSION } from "./bucket.ts";
import type { EffectiveFlag } from "./effective-flag.ts";
import type { FlagByRelease } from "./flag-by-release.ts";

/** A rule of JSONLogic with flagd's own operators. */
type FlagdRule =
  | null
  | boolean
  | number
  | string
  | readonly FlagdRule[]
  | { readonly [operator: string]: FlagdRule };

export type FlagdMetadata = Readonly<Record<string, string | number | boolean>>;

/** A flag as https://flagd.dev/schema/v0/flags.json has it; ours are switches between two paths. */
export interface FlagdFlag {
  readonly state: "ENABLED";
  readonly variants: { readonly on: true; readonly off: false };
  readonly defaultVariant: "on" | "off";
  readonly targeting?: FlagdRule;
}

/** All flags of a project, and where they stand. */
export interface FlagSet {
  readonly project: string;
  /** Of the project's own ledger. */
  readonly sequence: number;
  /** FRESH, STALE or EXPIRED. */
  readonly freshness: string;
  readonly flags: readonly FlagByRelease[];
}

/** What flagd's clients attach to every answer from the set. */
export function flagdMetadata(set: Omit<FlagSet, "flags">): FlagdMetadata {
  const { project, sequence, freshness } = set;
  return { flagSetId: project, project, sequence, freshness };
}

/** The set as flagd's in-process clients read it. */
export function flagdJson(set: FlagSet): string {
  const flags = set.flags.map((flag) => `${JSON.stringify(flag.name)}:${flagdFlagJson(flag)}`);
  return `{"flags":{${flags.join(",")}},"metadata":${JSON.stringify(flagdMetadata(set))}}`;
}

/** One flag's part of it: equal texts mean that no client can tell the difference. */
export function flagdFlagJson(flag: FlagByRelease): string {
  const known = flagTexts.get(flag);
  if (known !== undefined) return known;
  const text = JSON.stringify(flagdFlag(flag));
  flagTexts.set(flag, text);
  return text;
}

/** Most flags do not change from one set to the next. */
const flagTexts = new WeakMap<FlagByRelease, string>();

/**
 * A share that no rule decides is the default variant. Otherwise a rule names the variant for the
 * context's `version`, and within a share by the bucket of its `instance`, else its `targetingKey`.
 * A kill is a share of nobody.
 */
export function flagdFlag(flag: FlagByRelease): FlagdFlag {
  const fixed = fixedVariant(flag);
  const base = { state: "ENABLED", variants: { on: true, off: false } } as const;
  if (fixed !== undefined) return { ...base, defaultVariant: fixed };
  return { ...base, defaultVariant: "off", targeting: targetingOf(flag) };
}

/** The variant that every context gets; undefined where a rule has to look at the context. */
export function fixedVariant(flag: FlagByRelease): "on" | "off" | undefined {
  const share = shareOf(flag.unknown);
  if (versionsByShare(flag).size > 0) return undefined;
  if (share <= 0) return "off";
  return share >= BASIS_POINTS_MAX ? "on" : undefined;
}

/** A bucketing rule that is not ours holds the flag off. */
export function shareOf({ basisPoints, hash }: EffectiveFlag): number {
  return hash === HASH_VERSION ? basisPoints : 0;
}

function targetingOf(flag: FlagByRelease): FlagdRule {
  const otherwise = shareRule(shareOf(flag.unknown));
  const cases = [...versionsByShare(flag)].flatMap(([share, versions]): FlagdRule[] => [
    { in: [{ var: "version" }, versions] },
    shareRule(share),
  ]);
  if (cases.length > 0) return { if: [...cases, otherwise] };
  // A rule has to be an operation; this one is, since the share is neither nobody nor everybody.
  return otherwise;
}

/** Releases that differ from unknown builds in the share, whatever the reason for it. */
function versionsByShare({ unknown, releases }: FlagByRelease): Map<number, string[]> {
  const versions = new Map<number, string[]>();
  for (const released of releases) {
    const share = shareOf(released.flag);
    if (share === shareOf(unknown)) continue;
    versions.set(share, [...(versions.get(share) ?? []), ...released.versions]);
  }
  return versions;
}

/**
 * Whether a client's `fractional` buckets as this version does. Published clients have three
 * versions of it; of this text the first gives 48.9 of 100, the second 24.5, the third 32.9.
 */
export const bucketsOtherwise: FlagdRule = {
  "!=": [{ fractional: [{ cat: ["hash-2"] }, ["other", 24], ["ours", 1], ["other", 75]] }, "ours"],
};

/**
 * `on` comes first, so that raising a share only ever adds instances. The key is written out, for
 * clients differ in what `fractional` does without one; who has none is off. So is a client that
 * would put other instances on than everybody else does.
 */
function shareRule(basisPoints: number): FlagdRule {
  if (basisPoints <= 0) return "off";
  if (basisPoints >= BASIS_POINTS_MAX) return "on";
  const weights = [
    ["on", basisPoints],
    ["off", BASIS_POINTS_MAX - basisPoints],
  ];
  const splitBy = (field: string): FlagdRule => ({
    fractional: [{ cat: [{ var: "$flagd.flagKey" }, { var: field }] }, ...weights],
  });
  const cases = ["instance", "targetingKey"].flatMap((field) => [{ var: field }, splitBy(field)]);
  return { if: [bucketsOtherwise, "off", ...cases, "off"] };
}
