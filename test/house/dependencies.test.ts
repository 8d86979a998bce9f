import { expect, test } from "vitest";
import { dependencyProblems } from "./dependency-rules.ts";
import { sourceFiles } from "./source-tree.ts";

const good = { license: "MIT", integrity: "sha512-abc" };

const problemsOf = (locked: object): string[] =>
  dependencyProblems({
    path: "package-lock.json",
    text: JSON.stringify({ packages: { "node_modules/x": { ...good, ...locked } } }),
  });

test("what is installed may be passed on, is locked by content, and runs nothing", () => {
  expect(sourceFiles(["package-lock.json"]).flatMap(dependencyProblems)).toEqual([]);
});

test.each([
  ["a licence that is not permissive", { license: "GPL-3.0-only" }],
  ["one that is for tools alone", { license: "MPL-2.0" }],
  ["one of two that both count", { license: "(MIT AND GPL-2.0-only)" }],
  ["no licence", { license: undefined }],
  ["a weak lock", { integrity: "sha1-abc" }],
  ["a script", { hasInstallScript: true }],
])("the rule refuses %s", (_, locked) => {
  expect(problemsOf(locked)).toHaveLength(1);
});

test.each([
  ["a tool of MPL-2.0", { license: "MPL-2.0", dev: true }],
  ["one of two of which one is enough", { license: "(MIT OR GPL-2.0-only)" }],
])("the rule takes %s", (_, locked) => {
  expect(problemsOf(locked)).toEqual([]);
});
