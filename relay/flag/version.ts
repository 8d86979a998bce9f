/** Above every release name (`name.ts`), and short enough that parsing needs no other bound. */
const versionLengthMax = 100;

/**
 * What orders a version. Build metadata (`+x`) is not in it, for it orders nothing (SemVer 2.0.0,
 * section 10).
 */
export interface Version {
  /** Any count of parts; a missing part counts as 0. */
  readonly numbers: readonly number[];
  /** Empty for a final version. */
  readonly prerelease: readonly (number | string)[];
}

/**
 * Reads dotted numbers of any count of parts, then a pre-release and build metadata as in SemVer
 * 2.0.0: `2.3`, `90.0.4430.85`, `2.4.0-rc.1`, `2.3.0+g1f2e`. Anything else (`nightly`, `v2.3.0`) is
 * undefined, and so is a number that a double cannot hold exactly.
 */
export function parseVersion(text: string): Version | undefined {
  if (text.length > versionLengthMax) return undefined;
  const match = VERSION_PATTERN.exec(text);
  if (match === null) return undefined;
  const [, dotted = "", suffix] = match;
  const numbers = dotted.split(".").map(Number);
  const prerelease = suffix === undefined ? [] : suffix.split(".").map(identifierOf);
  const isExact = [...numbers, ...prerelease].every(isTextOrSafeInteger);
  return isExact ? { numbers, prerelease } : undefined;
}

/**
 * Negative if `left` is the older, positive if it is the newer, 0 if they rank the same: as SemVer
 * 2.0.0, section 11, so a pre-release is older than its release, and `2.3` ranks as `2.3.0`.
 */
export function compareVersions(left: Version, right: Version): number {
  const partsCount = Math.max(left.numbers.length, right.numbers.length);
  for (let part = 0; part < partsCount; part++) {
    const order = (left.numbers[part] ?? 0) - (right.numbers[part] ?? 0);
    if (order !== 0) return order;
  }
  return comparePrereleases(left.prerelease, right.prerelease);
}

/**
 * Leading zeros are let through in release numbers (`24.04`) and refused in numeric identifiers of a
 * pre-release, where SemVer forbids them.
 */
const VERSION_PATTERN: RegExp = (() => {
  const identifier = "(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)";
  const prerelease = `-(${identifier}(?:\\.${identifier})*)`;
  const build = "\\+[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*";
  return new RegExp(`^([0-9]+(?:\\.[0-9]+)*)(?:${prerelease})?(?:${build})?$`);
})();

function identifierOf(text: string): number | string {
  return /^[0-9]+$/.test(text) ? Number(text) : text;
}

function isTextOrSafeInteger(part: number | string): boolean {
  return typeof part === "string" || Number.isSafeInteger(part);
}

function comparePrereleases(left: Version["prerelease"], right: Version["prerelease"]): number {
  const sharedCount = Math.min(left.length, right.length);
  // Not having a pre-release ranks above having one; among those that do, more identifiers do.
  if (sharedCount === 0) return right.length - left.length;
  for (let at = 0; at < sharedCount; at++) {
    const order = compareIdentifiers(left[at] ?? 0, right[at] ?? 0);
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

function compareIdentifiers(left: number | string, right: number | string): number {
  if (typeof left === "number" && typeof right === "number") return left - right;
  if (typeof left === "number") return -1;
  if (typeof right === "number") return 1;
  // The alphabet is ASCII, so the order of UTF-16 units is the order that SemVer asks for.
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
