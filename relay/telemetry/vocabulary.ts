import { resolveRelease } from "../flag/release.ts";
import type { Layer } from "../layers/layer.ts";
import { vocabularyWordsMax } from "../limits.ts";

/** What every build that is no published release is called. */
const otherRelease = "other";

/** The words that may leave a node: what the project's own ledger has signed, and `other`. */
export interface Vocabulary {
  /** Sorted, `other` last. */
  readonly releases: readonly string[];
  readonly flags: readonly string[];
  /** Signatures. */
  readonly crashes: readonly string[];
  /** The word for a version that an app reports. */
  releaseOf(version: string): string;
}

/** `releaseOf` is given where others than the project itself may say what a build is. */
export function vocabularyOf(
  layer: Layer,
  releaseOf: (version: string) => string | undefined = (version) => resolveRelease(version, layer),
): Vocabulary {
  const published = [...layer.releases].filter((release) => release !== otherRelease);
  const releases = published.sort().slice(0, vocabularyWordsMax);
  return {
    releases: [...releases, otherRelease],
    flags: [...layer.flags.keys()].sort().slice(0, vocabularyWordsMax),
    crashes: [...layer.crashes].sort().slice(0, vocabularyWordsMax),
    releaseOf: (version) => releaseOf(version) ?? otherRelease,
  };
}
