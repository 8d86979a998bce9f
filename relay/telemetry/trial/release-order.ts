import { compareVersions, parseVersion } from "../../flag/version.ts";

/** Whether one release is newer than another, of two that a third is compared with. */
export function isNearer(one: string, other: string): boolean {
  return one !== other && nearestBelow(one, [other]) === other;
}

/** The newest of the releases that are older than one; empty when there is none. */
export function nearestBelow(release: string, others: readonly string[]): string {
  const version = parseVersion(release);
  if (version === undefined) return "";
  let nearest: { name: string; version: typeof version } | undefined;
  for (const name of others) {
    const other = parseVersion(name);
    if (other === undefined || compareVersions(other, version) >= 0) continue;
    if (nearest === undefined || compareVersions(other, nearest.version) > 0)
      nearest = { name, version: other };
  }
  return nearest?.name ?? "";
}
