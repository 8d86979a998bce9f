import { describe, expect, test } from "vitest";
import { pathsIn, sourceFiles } from "./source-tree.ts";
import {
  contentProblems,
  fileLinesMax,
  lockProblems,
  mirrorProblems,
  nameProblems,
  titleProblems,
  versionProblems,
} from "./tidiness-rules.ts";

const paths = pathsIn("");
const written = sourceFiles([".ts", ".mts", ".mjs", ".proto"]).filter(
  ({ path }) => !path.startsWith("gen/"),
);

describe("the project", () => {
  test("names its files in kebab-case, with words that say something", () => {
    expect(paths.flatMap(nameProblems)).toEqual([]);
  });

  test("has no file too long, no leftover and no barrel", () => {
    expect(written.flatMap(contentProblems)).toEqual([]);
  });

  test("gives every document one title", () => {
    expect(sourceFiles([".md"]).flatMap(titleProblems)).toEqual([]);
  });

  test("asks for exact versions", () => {
    const manifests = sourceFiles(["package.json"]);
    expect(manifests.length).toBeGreaterThan(0);
    expect(manifests.flatMap(versionProblems)).toEqual([]);
  });

  test("locks packages by content, whatever registry they come from", () => {
    const locks = sourceFiles(["package-lock.json"]);
    expect(locks.map(({ path }) => path)).toContain("package-lock.json");
    expect(locks.flatMap(lockProblems)).toEqual([]);
  });

  test("keeps each test where its source is", () => {
    expect(paths.flatMap((path) => mirrorProblems(path, paths))).toEqual([]);
  });
});

describe("the rules refuse", () => {
  test.each([
    "relay/Flag.ts",
    "relay/flag_table.ts",
    "relay/flagTable.ts",
    "relay/utils.ts",
    "nodes/store/sql-helpers.ts",
    "nodes/common/error.ts",
    "relay/index.ts",
    "proto/headwater/v1/flag-table.proto",
  ])("the name %s", (path) => {
    expect(nameProblems(path)).toHaveLength(1);
    expect(nameProblems(path)[0]).toContain(path);
  });

  test.each([
    ["a file that is too long", "const line = 1;\n".repeat(fileLinesMax + 1)],
    ["a marker", `// ${"FIX"}ME: later`],
    ["a test that runs alone", `test.${"only"}("x", () => {});`],
    ["a table of tests that runs alone", `describe.skipIf(false).${"only"}("x", () => {});`],
    ["a conflict", `${"<".repeat(7)} HEAD`],
    ["a stop for the debugger", `${"debug"}ger;`],
    ["a barrel", `export { a } from "./a.ts";\nexport type { B } from "./b.ts";`],
    ["a barrel of everything", `export * from "./a.ts";\nexport const b = 1;`],
  ])("%s", (_, text) => {
    const problems = contentProblems({ path: "relay/flag/bucket.ts", text });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain("relay/flag/bucket.ts");
  });

  test.each(["no title\n", "# One\n\n# Two\n", "\n# Late\n", "## Only a section\n"])(
    "the document %j",
    (text) => {
      expect(titleProblems({ path: "docs/guide.md", text })).toHaveLength(1);
    },
  );

  test.each(["^1.0.0", "~1.0.0", "1.x", "*", "latest", ">=1.0.0"])("the version %s", (version) => {
    const text = JSON.stringify({ devDependencies: { left: version, right: "1.0.0" } });
    expect(versionProblems({ path: "package.json", text })).toEqual([
      `package.json: left ${version} is not an exact version`,
    ]);
  });

  test.each([
    ["a registry", { resolved: "https://registry.example/left.tgz", integrity: "sha512-x" }],
    ["no integrity", { version: "1.0.0" }],
  ])("a lock with %s", (_, locked) => {
    const text = JSON.stringify({ packages: { "": {}, "node_modules/left": locked } });
    expect(lockProblems({ path: "package-lock.json", text })).toHaveLength(1);
  });

  test("a test whose source has moved", () => {
    const moved = "test/relay/flags/bucket.test.ts";
    expect(mirrorProblems(moved, ["relay/flag/bucket.ts", moved])).toHaveLength(1);
  });
});

describe("the rules let pass", () => {
  test.each(["LICENSE", "test/sim/plain.test.ts", "sdk/index.ts", "proto/headwater/v1/flag.proto"])(
    "the name %s",
    (path) => {
      expect(nameProblems(path)).toEqual([]);
    },
  );

  test("a document with a comment in an example", () => {
    const text = "# Guide\n\n```sh\n# start\nnpm start\n```\n";
    expect(titleProblems({ path: "docs/guide.md", text })).toEqual([]);
  });

  test("a file that passes one thing on beside its own", () => {
    const text = `export { a } from "./a.ts";\nexport const b = 1;\n`;
    expect(contentProblems({ path: "sdk/client.ts", text })).toEqual([]);
  });
});
