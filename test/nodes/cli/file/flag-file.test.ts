import { fromBinary } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { AliasSchema, type Flag, FlagSchema } from "../../../../gen/headwater/v1/flag_pb.ts";
import {
  type FlagFile,
  mergeFlagFiles,
  parseFlagFile,
} from "../../../../nodes/cli/file/flag-file.ts";
import { commitEntriesMax } from "../../../../relay/limits.ts";
import { growth } from "../../../relay/growth.ts";

function problemsOf(text: string): readonly string[] {
  const outcome = parseFlagFile({ path: "f.yaml", text });
  return "problems" in outcome ? outcome.problems : [];
}

function fileOf(text: string): FlagFile {
  const outcome = parseFlagFile({ path: "f.yaml", text });
  if ("problems" in outcome) throw new Error(outcome.problems.join("\n"));
  return outcome.file;
}

function flagOf(text: string): Flag {
  const [entry] = fileOf(`project: horizon\nflags:\n  a: ${text}\n`).entries;
  return fromBinary(FlagSchema, entry?.value ?? new Uint8Array(0));
}

/** The problem of one flag `a: …`, where its value begins at column 6 of line 3. */
function flagProblem(text: string): string {
  const problems = problemsOf(`project: horizon\nflags:\n  a: ${text}\n`);
  expect(problems).toHaveLength(1);
  return problems[0] ?? "";
}

const whole = `
project: horizon
flags:
  new-scheduler: { percent: 5, note: "https://example.org/123" }
  legacy-auth:   { percent: 100 }
  fast-path:     { percent: 25, versions: ">=2.3.0", kill: ">=2.3.0 <2.3.5", note: "hangs" }
  wide-path:     { rollout: [{ versions: ">=2.4.0-0", percent: 50 }, { versions: "*", percent: 5 }] }
releases: ["2.2.0", "2.3.0", "2.3.5", "2.4.0-rc.1"]
features: [keystone-v2-api]
aliases: { "2.3.0-4.el9": "2.3.0" }
`;

describe("a flag file", () => {
  it("is a project and its entries", () => {
    const { project, entries, sections } = fileOf(whole);
    expect(project).toBe("horizon");
    expect([...sections]).toEqual(["flags", "releases", "features", "aliases"]);
    expect(entries.map(({ key }) => key)).toEqual([
      "flag/new-scheduler",
      "flag/legacy-auth",
      "flag/fast-path",
      "flag/wide-path",
      "release/2.2.0",
      "release/2.3.0",
      "release/2.3.5",
      "release/2.4.0-rc.1",
      "feature/keystone-v2-api",
      "alias/2.3.0-4.el9",
    ]);
    const alias = entries.at(-1)?.value ?? new Uint8Array(0);
    expect(fromBinary(AliasSchema, alias)).toMatchObject({ name: "2.3.0-4.el9", release: "2.3.0" });
  });

  it("may be JSON, indented with tabs", () => {
    const json = JSON.stringify(
      { project: "horizon", flags: { a: { percent: 5 } }, releases: ["2.10"] },
      undefined,
      "\t",
    );
    expect(fileOf(json).entries.map(({ key }) => key)).toEqual(["flag/a", "release/2.10"]);
  });

  it("says nothing of the sections that it does not have", () => {
    expect([...fileOf("project: horizon\nreleases: []\n").sections]).toEqual(["releases"]);
  });

  it("may say a thing once and use it twice", () => {
    const text = "project: p\nflags:\n  a: &five { percent: 5 }\n  b: *five\n";
    expect(fileOf(text).entries.map(({ key }) => key)).toEqual(["flag/a", "flag/b"]);
  });
});

describe("a flag", () => {
  it("is all that its entry says", () => {
    expect(flagOf(`{ percent: 25, versions: ">=2.3.0", kill: "<2.3.5", note: why }`)).toMatchObject(
      {
        name: "a",
        basisPoints: 2500,
        rollout: [],
        versions: ">=2.3.0",
        kill: { versions: "<2.3.5" },
        hash: 2,
        note: "why",
      },
    );
    expect(flagOf("{ percent: 0 }")).toMatchObject({ basisPoints: 0, versions: "", note: "" });
    expect(flagOf("{ percent: 0 }").kill).toBeUndefined();
  });

  it.each([
    ["5", 500],
    ["5%", 500],
    ["0.25", 25],
    ['"5 %"', 500],
    ["100", 10_000],
    ["007", 700],
  ])("has the percentage %s", (text, basisPoints) => {
    expect(flagOf(`{ percent: ${text} }`).basisPoints).toBe(basisPoints);
  });

  it("has a rollout whose first match wins, where * is every build", () => {
    const steps = '[{ versions: ">=2.4.0-0", percent: 50 }, { versions: "*", percent: 0.5 }]';
    expect(flagOf(`{ rollout: ${steps} }`).rollout).toMatchObject([
      { versions: ">=2.4.0-0", basisPoints: 5000 },
      { versions: "", basisPoints: 50 },
    ]);
  });

  it.each([
    ["true", "*"],
    ['"*"', "*"],
    ['"<2.3.5"', "<2.3.5"],
  ])("that is killed: %s", (text, versions) => {
    expect(flagOf(`{ percent: 5, kill: ${text} }`).kill?.versions).toBe(versions);
  });

  it("that is not killed may say so", () => {
    expect(flagOf("{ percent: 5, kill: false }").kill).toBeUndefined();
  });

  it("is the same bytes however it is written", () => {
    const one = fileOf('project: p\nflags: { a: { note: x, percent: 5, versions: "*" } }\n');
    const other = fileOf("project: p\nflags:\n  a:\n    percent: 5%\n    note: 'x'\n");
    expect(one.entries).toEqual(other.entries);
  });
});

describe("problems of a flag", () => {
  it.each([
    [
      "{ percent: 5.125 }",
      'f.yaml:3:17: flags.a.percent: "5.125" is finer than steps of 0.01 %: write 5.12 % or 5.13 %',
    ],
    [
      "{ percent: 101 }",
      'f.yaml:3:17: flags.a.percent: "101" is more than everybody: write 0 to 100',
    ],
    [
      "{ percent: 1e1 }",
      'f.yaml:3:17: flags.a.percent: "1e1" is no percentage: write a number from 0 to 100, such as 0.25',
    ],
    ["{ percent: [5] }", "f.yaml:3:17: flags.a.percent: has to be a single value"],
    ["{ percent: }", "f.yaml:3:17: flags.a.percent: has to be a value; there is nothing"],
    [
      "{ precent: 5, percent: 5 }",
      "f.yaml:3:8: flags.a.precent: not known here: did you mean percent?",
    ],
    ["{ note: x }", "f.yaml:3:6: flags.a: needs a percent or a rollout, one of the two"],
    [
      "{ percent: 5, rollout: [{ versions: '*', percent: 5 }] }",
      "f.yaml:3:6: flags.a: needs a percent or a rollout, one of the two",
    ],
    [
      "{ rollout: [] }",
      "f.yaml:3:17: flags.a.rollout: needs at least one step with versions and percent",
    ],
    [
      "{ rollout: [{ percent: 5 }] }",
      "f.yaml:3:18: flags.a.rollout[0]: needs versions and percent",
    ],
    ["5", "f.yaml:3:6: flags.a: has to be a map of names and values"],
    [
      "{ percent: 5, versions: 2.10 }",
      'f.yaml:3:30: flags.a.versions: 2.10 would become 2.1; write "2.10"',
    ],
    [
      "{ percent: 5, kill: 2.3 }",
      'f.yaml:3:26: flags.a.kill: 2.3 is a number to YAML; write "2.3"',
    ],
    ["{ percent: 5, versions: '>=' }", /^f\.yaml:3:30: flags\.a\.versions: expected a version/],
    ["{ percent: 5, kill: '90.*' }", /^f\.yaml:3:26: flags\.a\.kill: expected ">=90-0 <91-0"/],
    [
      "{ percent: 5, note: 123 }",
      'f.yaml:3:26: flags.a.note: 123 is a number to YAML; write "123"',
    ],
    [
      "{ percent: 5, note: true }",
      'f.yaml:3:26: flags.a.note: true is a boolean to YAML; write "true"',
    ],
    [
      `{ percent: 5, note: ${"n".repeat(2001)} }`,
      "f.yaml:3:26: flags.a.note: has 2001 characters; at most 2000 are allowed",
    ],
    ["*nobody", "f.yaml:3:6: flags.a: has to be a map of names and values; *nobody is nothing"],
  ])("%s", (text, problem) => {
    expect(flagProblem(text)).toMatch(problem);
  });

  it("an entry that no ledger takes", () => {
    const steps = Array.from({ length: 2000 }, () => `{ versions: ">=2.3.0", percent: 5 }`);
    expect(flagProblem(`{ rollout: [${steps.join(", ")}] }`)).toMatch(
      /^f\.yaml:3:6: flags\.a: takes \d+ bytes; at most 16384 are allowed$/,
    );
  });
});

describe("problems of a file", () => {
  it("are reported all together, each where it is", () => {
    const text = `projct: horizon
flags:
  new scheduler: { percent: 5 }
  2.10: { percent: 5 }
  a:
    percent: 500
    klil: "*"
releases: [2.2.0, 2.10, "2.2.0", "x y", 3]
features: keystone
aliases:
  2.3.0-4.el9: 2.30
  "a b": "2.2.0"
`;
    expect(problemsOf(text)).toEqual([
      "f.yaml:1:1: projct: not known here: did you mean project?",
      "f.yaml:1:1: project is missing; write project: NAME",
      'f.yaml:4:3: flags: 2.10 would become 2.1; write "2.10"',
      'f.yaml:3:3: flags.new scheduler: "new scheduler" is no name; write 1 to 100 letters, digits, dots, dashes and underscores, a letter or digit first',
      "f.yaml:7:5: flags.a.klil: not known here: did you mean kill?",
      'f.yaml:6:14: flags.a.percent: "500" is more than everybody: write 0 to 100',
      'f.yaml:8:19: releases[1]: 2.10 would become 2.1; write "2.10"',
      "f.yaml:8:25: releases[2]: 2.2.0 is there twice",
      'f.yaml:8:34: releases[3]: "x y" is no name; write 1 to 100 letters, digits, dots, dashes and underscores, a letter or digit first',
      'f.yaml:8:41: releases[4]: 3 is a number to YAML; write "3"',
      "f.yaml:9:11: features: has to be a list",
      'f.yaml:11:16: aliases.2.3.0-4.el9: 2.30 would become 2.3; write "2.30"',
      "f.yaml:12:3: aliases.a b: is no version; write 1 to 100 characters of ASCII without spaces",
    ]);
  });

  it.each([
    ["", "f.yaml:1:1: has to be a map of names and values; there is nothing"],
    ["- a\n", "f.yaml:1:1: has to be a map of names and values"],
    ["project: a\nproject: b\n", "f.yaml:2:1: project: is there twice"],
    ["project: a\n  b: c\n", /^f\.yaml:\d:\d+: /],
    ["project: a\n---\nproject: b\n", /^f\.yaml:2:1: Source contains multiple documents/],
    ['{"project": "a"', /^f\.yaml:1:\d+: /],
    ["project: !name a\n", /^f\.yaml:1:10: Unresolved tag/],
  ])("%j", (text, problem) => {
    expect(problemsOf(text)[0]).toMatch(problem);
  });
});

describe("several files", () => {
  it("are one, with what each has", () => {
    const flags = fileOf("project: p\nflags: { a: { percent: 5 } }\n");
    const releases = fileOf("project: p\nreleases: ['1.0.0']\n");
    const merged = mergeFlagFiles([flags, releases]);
    expect(merged).toMatchObject({ file: { project: "p" } });
    expect("file" in merged && [...merged.file.sections]).toEqual(["flags", "releases"]);
  });

  it("are read in one go, also when one has as many flags as a commit takes", () => {
    const times = growth({ few: commitEntriesMax / 20, many: commitEntriesMax }, (count) => {
      const flags = Array.from({ length: count }, (_, n) => `  flag-${n}: { percent: 5 }`);
      const text = `project: horizon\nflags:\n${flags.join("\n")}\n`;
      return () => {
        const merged = mergeFlagFiles([fileOf(text)]);
        expect("file" in merged && merged.file.entries).toHaveLength(count);
      };
    });
    expect(times).toBeLessThan(80);
  }, 60_000);

  it("may not say a thing twice, nor be of two projects", () => {
    expect(problemsOf("project: a\nflags:\n  a: { percent: 1 }\n  'a': { percent: 2 }\n")).toEqual([
      "f.yaml:4:3: flags.a: is there twice",
    ]);

    const one = fileOf("project: p\nflags: { a: { percent: 5 } }\n");
    const other = fileOf("project: q\n");
    expect(mergeFlagFiles([one, one])).toEqual({ problems: ["flag a is in more than one file"] });
    expect(mergeFlagFiles([one, other])).toEqual({
      problems: ["files of p and q: apply one project at a time"],
    });
  });
});
