import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { parseFlagFile } from "../../../../nodes/cli/file/flag-file.ts";
import { flagFileJsonSchema, flagFileSchema } from "../../../../nodes/cli/file/flag-file-schema.ts";

const rootDir = join(import.meta.dirname, "../../../..");

test("the schema in the package is the one in the code: npx headwater schema writes it", () => {
  const packed = readFileSync(join(rootDir, "nodes/cli/file/flag-file.schema.json"), "utf8");
  expect(JSON.parse(packed)).toEqual(JSON.parse(JSON.stringify(flagFileJsonSchema())));
});

/** Whether `apply` would read it, and whether an editor would underline nothing. */
function verdicts(text: string): [boolean, boolean] {
  const isRead = "file" in parseFlagFile({ path: "flags.yaml", text });
  return [isRead, flagFileSchema.safeParse(parse(text)).success];
}

describe("an editor and apply agree", () => {
  test.each([
    readFileSync(join(rootDir, "scripts/demo/flags.yaml"), "utf8"),
    "project: horizon",
    "project: horizon\nflags: { a: { percent: 5 } }",
    'project: horizon\nflags: { a: { percent: "12.5%" } }',
    'project: horizon\nflags: { a: { percent: 25, versions: ">=2.3.0", kill: ">=2.3.0 <2.3.5", note: "x" } }',
    'project: h\nflags: { a: { rollout: [{ versions: ">=2.4.0-0", percent: 50 }, { versions: "*", percent: 5 }] } }',
    'project: h\nreleases: ["2.2.0", "2.10"]\nfeatures: [keystone-v2-api]\naliases: { "1:2.2.0-4": "2.2.0" }',
    `project: h\nlibraries: { oslo: "sha256:${"ab".repeat(32)}" }`,
    "project: h\nflags: { a: { percent: 5, kill: true }, b: { percent: 5, kill: false } }",
  ])("both take: %s", (text) => {
    expect(verdicts(text)).toEqual([true, true]);
  });

  test.each([
    "flags: {}",
    "project: -horizon",
    "project: horizon\nflag: {}",
    "project: horizon\nflags: { a: { percent: 101 } }",
    "project: horizon\nflags: { a: { percent: -1 } }",
    'project: horizon\nflags: { a: { percent: "many" } }',
    "project: horizon\nflags: { a: { percents: 5 } }",
    "project: horizon\nreleases: [2.10]",
    "project: horizon\nflags: { a: { percent: 5, versions: 2.3 } }",
    "project: horizon\nflags: { a: { rollout: [] } }",
    "project: horizon\nflags: { a: { rollout: [{ percent: 5 }] } }",
    "project: horizon\nflags: [a]",
    "project: horizon\nlibraries: { oslo: abc }",
    "project: horizon\nflags: { a: { percent: 5, note: 5 } }",
  ])("neither takes: %s", (text) => {
    expect(verdicts(text)).toEqual([false, false]);
  });
});
