import { expect, test } from "vitest";
import * as limits from "../../relay/limits.ts";
import { sourceFiles } from "./source-tree.ts";

test("every bound is named by a test, so that none comes without one", () => {
  const tests = sourceFiles([".test.ts"]).map(({ text }) => text);
  const words = new Set(tests.flatMap((text) => text.match(/\b\w+M(ax|in)\b/g) ?? []));
  expect(Object.keys(limits).filter((name) => !words.has(name))).toEqual([]);
});
