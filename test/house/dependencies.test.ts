import { expect, test } from "vitest";
import { dependencyProblems } from "./dependency-rules.ts";
import { admits } from "./node-range.ts";
import { sourceFiles } from "./source-tree.ts";

const good = { license: "MIT", integrity: "sha512-abc" };

const problemsOf = (locked: object, name: string = "x"): string[] =>
  dependencyProblems({
    path: "package-lock.json",
    text: JSON.stringify({
      packages: {
        "": { engines: { node: ">=20" } },
        [`node_modules/${name}`]: { ...good, ...locked },
      },
    }),
  });

test("what is installed may be passed on, is locked by content, runs nothing, and is for the Nodes that we name", () => {
  expect(sourceFiles(["package-lock.json"]).flatMap(dependencyProblems)).toEqual([]);
});

test.each([
  ["a licence that is not permissive", { license: "GPL-3.0-only" }],
  ["one that is for tools alone", { license: "MPL-2.0" }],
  ["one of two that both count", { license: "(MIT AND GPL-2.0-only)" }],
  ["no licence", { license: undefined }],
  ["a weak lock", { integrity: "sha1-abc" }],
  ["a script", { hasInstallScript: true }],
  ["what is for newer Nodes alone", { engines: { node: ">=22" } }],
])("the rule refuses %s", (_, locked) => {
  expect(problemsOf(locked)).toHaveLength(1);
});

test.each([
  ["a tool of MPL-2.0", { license: "MPL-2.0", dev: true }],
  ["a tool for newer Nodes", { engines: { node: ">=22" }, dev: true }],
  ["one of two of which one is enough", { license: "(MIT OR GPL-2.0-only)" }],
])("the rule takes %s", (_, locked) => {
  expect(problemsOf(locked)).toEqual([]);
});

test("what is built into the package is passed on, though it is a tool to npm", () => {
  expect(problemsOf({ license: "MPL-2.0", dev: true }, "preact")).toHaveLength(1);
  expect(problemsOf({ dev: true }, "preact")).toEqual([]);
});

test("the package names the first Node that it is for, in a way that is understood", () => {
  const { packages } = JSON.parse(
    sourceFiles(["package-lock.json"]).find(({ path }) => path === "package-lock.json")!.text,
  ) as { packages: Record<string, { engines?: { node?: string } }> };
  expect(packages[""]?.engines?.node).toMatch(/^>=\d+$/);
});

test.each([
  ["*", true],
  [">=20", true],
  [">= 18.0.0", true],
  ["^16 || ^18 || >=20", true],
  ["18.* || >= 20.*", true],
  ["20 || >=22", true],
  [">=12.10.0 <21", true],
  ["^20.19.0 || >=22.12.0", false],
  [">=22", false],
  [">=20.11", false],
  ["^18.0.0", false],
  [">=12 <20", false],
  ["=20.0.0-rc", false],
])("a package for %s admits 20.0.0: %j", (range, expected) => {
  expect(admits(range, 20)).toBe(expected);
});
