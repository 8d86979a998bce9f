import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { LedgerView } from "../../../../nodes/cli/commit/ledger-view.ts";
import { parseFlagFile } from "../../../../nodes/cli/file/flag-file.ts";
import { flagdExport } from "../../../../nodes/cli/file/flagd-export.ts";
import { flagdImport } from "../../../../nodes/cli/file/flagd-import.ts";
import { buildOf } from "../../../../relay/layers/build.ts";
import { effectiveFlag } from "../../../../relay/layers/fold.ts";
import { Layer } from "../../../../relay/layers/layer.ts";
import { openFakeAdmin } from "../fake-admin.ts";

const releases = ["2.2.0", "2.3.0", "2.3.5", "2.4.0-rc.1", "2.4.0", "nightly"];
const aliases = { "2.3.0-4.el9": "2.3.0", "2.4.0-1.el9": "2.4.0" };
const builds = [...releases, ...Object.keys(aliases), "9.9.9-local"];

const percent = fc.integer({ min: 0, max: 10_000 }).map((basisPoints) => basisPoints / 100);
const range = fc.constantFrom("*", ">=2.3.0", "<2.3.5", "=2.3.0 || =2.4.0", ">=2.4.0-0 <2.5");
const flag = fc.record(
  {
    percent: fc.oneof(fc.constantFrom(0, 100), percent),
    rollout: fc.array(fc.record({ versions: range, percent }), { minLength: 1, maxLength: 4 }),
    versions: range,
    kill: range,
    note: fc.constantFrom("https://example.org/1", "hangs"),
  },
  { requiredKeys: ["percent"] },
);
const flags = fc.dictionary(fc.constantFrom("a", "fast-path", "x.y_z"), flag, { maxKeys: 3 });

function entriesOf(file: object): ReadonlyMap<string, Uint8Array> {
  const outcome = parseFlagFile({ path: "file", text: JSON.stringify(file) });
  if ("problems" in outcome) throw new Error(outcome.problems.join("\n"));
  return new Map(outcome.file.entries.map(({ key, value }) => [key, value]));
}

function viewOf(entries: ReadonlyMap<string, Uint8Array>): LedgerView {
  return { ledger: { project: "horizon" }, entries } as unknown as LedgerView;
}

/** What a node gives each build of each flag, in basis points. */
function sharesOf(entries: ReadonlyMap<string, Uint8Array>): object {
  const own = new Layer();
  const held = [...entries].map(
    ([key, value]) => [key, { value, hash: new Uint8Array(32) }] as const,
  );
  own.update(new Map(held), entries.keys());
  const shares = [...own.flags.keys()]
    .toSorted()
    .map((name) => [
      name,
      builds.map(
        (version) =>
          effectiveFlag({ own, overlays: [] }, name, buildOf(own, [], version))?.basisPoints,
      ),
    ]);
  return Object.fromEntries(shares);
}

test("what is exported and imported again is the same for every build", () => {
  fc.assert(
    fc.property(flags, (given) => {
      const written = Object.entries(given).map(([name, { percent: share, ...rest }]) => [
        name,
        rest.rollout === undefined ? { percent: share, ...rest } : rest,
      ]);
      const file = { project: "horizon", flags: Object.fromEntries(written), releases, aliases };
      const entries = entriesOf(file);
      const exported = flagdExport(viewOf(entries));
      const kills = Object.values(given).filter(({ kill }) => kill !== undefined);
      expect(exported.lost).toHaveLength(kills.length);
      const imported = flagdImport("horizon", JSON.parse(JSON.stringify(exported.file)));
      expect(imported.lost).toEqual([]);
      const again = entriesOf(imported.file);
      expect(sharesOf(again)).toEqual(sharesOf(entries));
    }),
  );
});

const variants = { on: true, off: false };
const enabled = { state: "ENABLED", variants, defaultVariant: "off" };

function importedOne(definition: object): { flag: unknown; lost: readonly string[] } {
  const { file, lost } = flagdImport("horizon", { flags: { a: definition } });
  return { flag: (file as { flags: Record<string, unknown> }).flags["a"], lost };
}

describe("of flagd's definitions", () => {
  const key = { cat: [{ var: "$flagd.flagKey" }, { var: "targetingKey" }] };
  test.each<[string, object, object]>([
    ["a switch", enabled, { percent: 0 }],
    ["one that is on", { ...enabled, defaultVariant: "on", targeting: {} }, { percent: 100 }],
    [
      "variants of other names",
      { ...enabled, variants: { yes: true, no: false }, defaultVariant: "yes" },
      { percent: 100 },
    ],
    [
      "a share",
      {
        ...enabled,
        targeting: {
          fractional: [
            ["on", 5],
            ["off", 95],
          ],
        },
      },
      { percent: 5 },
    ],
    [
      "a share by an explicit key",
      { ...enabled, targeting: { fractional: [key, ["on"], ["off"]] } },
      { percent: 50 },
    ],
    [
      "a share for a list of versions",
      {
        ...enabled,
        targeting: {
          if: [
            { in: [{ var: "version" }, ["2.3.0", "2.3.5"]] },
            "on",
            {
              fractional: [
                ["on", 1],
                ["off", 3],
              ],
            },
          ],
        },
      },
      {
        rollout: [
          { versions: "=2.3.0 || =2.3.5", percent: 100 },
          { versions: "*", percent: 25 },
        ],
      },
    ],
    ["a note", { ...enabled, metadata: { note: "hangs" } }, { percent: 0, note: "hangs" }],
  ])("%s is carried over", (_, definition, flagRecord) => {
    expect(importedOne(definition)).toEqual({ flag: flagRecord, lost: [] });
  });

  const split = (...parts: unknown[]): object => ({ ...enabled, targeting: { fractional: parts } });
  test.each<[string, object, string]>([
    ["one that is disabled", { ...enabled, state: "DISABLED" }, ".state: "],
    ["texts", { ...enabled, variants: { on: "red" } }, ".variants: "],
    ["no default", { state: "ENABLED", variants }, ".defaultVariant: "],
    [
      "users",
      { ...enabled, targeting: { if: [{ in: ["@x", { var: "email" }] }, "on"] } },
      ".targeting.if[0]",
    ],
    [
      "versions without an order",
      { ...enabled, targeting: { if: [{ in: [{ var: "version" }, ["el9"]] }, "on"] } },
      ".targeting.if[0].in[1][0]: ",
    ],
    ["another operation", { ...enabled, targeting: { sem_ver: [1, ">", 2] } }, ".targeting: "],
    ["a share that is not first", split(["off", 50], ["on", 50]), ".targeting.fractional: "],
    ["a share that is too fine", split(["on", 1], ["off", 2]), ".targeting.fractional: "],
    [
      "a share by email",
      split({ var: "email" }, ["on", 1], ["off", 1]),
      ".targeting.fractional[0]: ",
    ],
    ["a share of no variant", split(["red", 1]), ".targeting.fractional[0]: "],
  ])("%s is listed with its path", (_, definition, path) => {
    const { flag: flagRecord, lost } = importedOne(definition);
    expect(flagRecord).toBeUndefined();
    expect(lost).toEqual([expect.stringContaining(`$.flags["a"]${path}`)]);
  });

  test("what stands beside flags is listed too", () => {
    const { lost } = flagdImport("horizon", {
      $schema: "x",
      $evaluators: {},
      metadata: { flagSetId: "horizon", owner: "ada" },
      flags: { a: { ...enabled, metadata: { owner: "ada" } } },
    });
    expect(lost.map((line) => line.split(":")[0])).toEqual([
      "$.$evaluators",
      "$.metadata.owner",
      '$.flags["a"].metadata.owner',
    ]);
    expect(flagdImport("horizon", []).lost).toHaveLength(2);
  });
});

test("the commands say what is lost, and end with 1", async () => {
  const { ledger, terminal } = await openFakeAdmin();
  const held = { a: { percent: 5, kill: "<2.3.5" }, b: { percent: 100 } };
  for (const [key, value] of entriesOf({ project: "horizon", flags: held }))
    ledger.entries.set(key, value);
  const exported = await terminal.run("export", "horizon", "--to", "flagd");
  expect(exported.code).toBe(1);
  expect(exported.stderr).toMatch(/^not carried over: \$\.flags\["a"\]\.kill: off for <2\.3\.5/);
  // An editor completes and checks what names its schema; one on Windows puts a mark before it.
  expect(JSON.parse(exported.stdout)).toMatchObject({ $schema: expect.stringContaining("flagd") });
  terminal.input = `\ufeff${exported.stdout}`;
  const imported = await terminal.run("import", "--from", "flagd", "-");
  expect(imported).toMatchObject({ code: 0, stderr: "" });
  expect(JSON.parse(imported.stdout)).toEqual({
    project: "horizon",
    flags: { a: { percent: 0 }, b: { percent: 100 } },
    releases: [],
  });
  terminal.input = "{";
  const broken = await terminal.run("import", "--from", "flagd", "--project", "horizon", "-");
  expect(broken).toMatchObject({ code: 2, stderr: expect.stringContaining("cannot read -") });
});
