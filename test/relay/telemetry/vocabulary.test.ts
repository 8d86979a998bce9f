import { expect, test } from "vitest";
import { vocabularyOf } from "../../../relay/telemetry/vocabulary.ts";
import { projectOf } from "./fixture.ts";

const otherRelease = "other";

test("words are what the project has signed, sorted, each once, and `other` last", () => {
  const { own } = projectOf({ releases: ["2.0", "1.0", "nightly"], flags: ["b", "a"] });
  expect(vocabularyOf(own)).toMatchObject({
    releases: ["1.0", "2.0", "nightly", otherRelease],
    flags: ["a", "b"],
  });
});

test("a release that is called `other` is not told from all others", () => {
  const vocabulary = vocabularyOf(projectOf({ releases: ["1.0", otherRelease] }).own);
  expect(vocabulary.releases).toEqual(["1.0", otherRelease]);
  expect(vocabulary.releaseOf(otherRelease)).toBe(otherRelease);
});

test("a version that nobody has published is `other`", () => {
  const vocabulary = vocabularyOf(projectOf().own);
  expect(
    ["1.0", "1.0.0", "", "secret-build-of-acme"].map((one) => vocabulary.releaseOf(one)),
  ).toEqual(["1.0", otherRelease, otherRelease, otherRelease]);
});
