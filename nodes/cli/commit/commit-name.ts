import { commitLengthMax } from "../../../relay/limits.ts";
import type { Texts } from "../../config/settings.ts";
import { HeadwaterError } from "../../error.ts";

/** What pipelines call the commit that they run for: GitHub, GitLab, Jenkins, Azure, and others. */
const variables = [
  "GITHUB_SHA",
  "CI_COMMIT_SHA",
  "GIT_COMMIT",
  "BUILD_SOURCEVERSION",
  "BUILDKITE_COMMIT",
  "CIRCLE_SHA1",
  "BITBUCKET_COMMIT",
  "DRONE_COMMIT_SHA",
  "TRAVIS_COMMIT",
  "ZUUL_NEWREV",
];

/**
 * The commit that a change is kept in: as given, else as the pipeline says; empty without either.
 * @throws HeadwaterError `invalid` when it is too long for one
 */
export function commitName(given: string | undefined, env: Texts): string {
  const named = given ?? variables.map((name) => env[name]).find((text) => text) ?? "";
  if (named.length <= commitLengthMax) return named;
  throw new HeadwaterError({
    kind: "invalid",
    message: `--commit: ${named.length} characters; at most ${commitLengthMax} are allowed`,
  });
}
