/** The releases that a project has published, and the other names that they are known by. */
export interface ReleaseVocabulary {
  readonly releases: ReadonlySet<string>;
  /** From the other name to the release, e.g. `2.3.0-4.el9` to `2.3.0`. */
  readonly aliases: ReadonlyMap<string, string>;
}

/**
 * The published release that an app's version names, exactly or by alias; undefined for everything
 * else. Nothing is normalised and an alias of an alias is not followed: whatever is not on the
 * signed list is an unknown build, and those fail safe.
 */
export function resolveRelease(version: string, vocabulary: ReleaseVocabulary): string | undefined {
  if (vocabulary.releases.has(version)) return version;
  const release = vocabulary.aliases.get(version);
  return release !== undefined && vocabulary.releases.has(release) ? release : undefined;
}
