import { expect, test } from "vitest";
import { commitName } from "../../../../nodes/cli/commit/commit-name.ts";
import { commitLengthMax } from "../../../../relay/limits.ts";

test("a commit has a name of so many characters, whether given or the pipeline's", () => {
  const longest = "c".repeat(commitLengthMax);
  expect(commitName(longest, {})).toBe(longest);
  expect(commitName(undefined, { GITHUB_SHA: longest })).toBe(longest);
  const says = "--commit: 101 characters; at most 100 are allowed";
  expect(() => commitName(`${longest}c`, {})).toThrow(says);
  expect(() => commitName(undefined, { GITHUB_SHA: `${longest}c` })).toThrow(says);
});
