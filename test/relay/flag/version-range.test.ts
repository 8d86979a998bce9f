import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareVersions, parseVersion, type Version } from "../../../relay/flag/version.ts";
import {
  isEverything,
  isInRange,
  parseRange,
  rangeLengthMax,
} from "../../../relay/flag/version-range.ts";
import { versionText } from "./version-text.ts";

const operator = fc.constantFrom("=", ">", ">=", "<", "<=", "");
const comparator = fc.oneof(
  { weight: 9, arbitrary: fc.tuple(operator, versionText).map((parts) => parts.join("")) },
  { weight: 1, arbitrary: fc.constant("*") },
);
const alternative = joined(comparator, " ");
const range = joined(alternative, " || ");

/** One or two of `part`, short enough that two such texts and a joint are still a range. */
function joined(part: fc.Arbitrary<string>, joint: string): fc.Arbitrary<string> {
  return fc
    .array(part, { minLength: 1, maxLength: 2 })
    .map((parts) => parts.join(joint))
    .filter((text) => text.length <= (rangeLengthMax - " || ".length) / 2);
}

describe("parseRange and isInRange", () => {
  it.each([
    [">=2.3.0 <2.3.5", "2.3.0", true],
    [">=2.3.0 <2.3.5", "2.3.4", true],
    [">=2.3.0 <2.3.5", "2.3.5", false],
    [">=2.3.0 <2.3.5", "2.2.9", false],
    ["<2 || >=3", "1.9", true],
    ["<2 || >=3", "2.5", false],
    ["<2||>=3", "3.0.0", true],
    [">2.3", "2.3.0", false],
    ["<=2.3", "2.3.0", true],
    ["2.3", "2.3.0", true],
    ["=2.3", "2.3.0.1", false],
    ["  >=  2.3   <3 ", "2.4", true],
    [">=89.1.21.73", "89.1.21.74", true],
    [">=89.1.21.73", "89.1.21.9", false],
    // Pre-releases are versions like any other, unlike in npm's ranges.
    ["<2.4.0", "2.4.0-rc.1", true],
    [">=2.4.0", "2.4.0-rc.1", false],
    [">=2.4.0-0", "2.4.0-rc.1", true],
    [">=2.4.0-0", "2.4.0-alpha", true],
    [">=2.3.0", "3.0.0-rc.1", true],
    ["*", "0-0", true],
    ["*", "2.4.0-rc.1", true],
    ["<1 || *", "7", true],
  ])("%j, of %j: %s", (text, version, expected) => {
    expect(isIn(version, text)).toBe(expected);
  });

  it("makes `||` a union and a space an intersection", () => {
    fc.assert(
      fc.property(range, range, alternative, alternative, versionText, (a, b, c, d, version) => {
        expect(isIn(version, `${a} || ${b}`)).toBe(isIn(version, a) || isIn(version, b));
        expect(isIn(version, `${c} ${d}`)).toBe(isIn(version, c) && isIn(version, d));
      }),
      { numRuns: 500 },
    );
  });

  it("agrees with the order of versions", () => {
    fc.assert(
      fc.property(versionText, versionText, (version, bound) => {
        const order = compareVersions(versionOf(version), versionOf(bound));
        expect(isIn(version, `<${bound}`)).toBe(order < 0);
        expect(isIn(version, `<=${bound}`)).toBe(order <= 0);
        expect(isIn(version, `=${bound}`)).toBe(order === 0);
        expect(isIn(version, bound)).toBe(order === 0);
        expect(isIn(version, `>=${bound}`)).toBe(order >= 0);
        expect(isIn(version, `>${bound}`)).toBe(order > 0);
      }),
      { numRuns: 500 },
    );
  });
});

describe("parseRange", () => {
  it.each([
    ["", 0, "a comparator or *"],
    ["   ", 3, "a comparator or *"],
    [">=2.3 ||", 8, "a comparator or *"],
    ["|| >=2.3", 0, "a comparator or *"],
    [">=2.3 || || <1", 9, "a comparator or *"],
    [">=", 2, "a version such as 2.3.0"],
    [">=2.3 < ", 8, "a version such as 2.3.0"],
    ["=>2.3", 1, "a version such as 2.3.0"],
    [">=2.3 <nightly", 7, "a version such as 2.3.0"],
    [">=2.3<3", 2, "a version such as 2.3.0"],
    [">*", 1, "a version such as 2.3.0"],
    ["<1 || >=v2.3.0", 8, "a version such as 2.3.0"],
    ["2.3 | 2.4", 4, "a version such as 2.3.0, after = > >= < <= or alone, or *"],
    ["^2.3", 0, "a version such as 2.3.0, after = > >= < <= or alone, or *"],
    ["2.3 - 2.5", 4, "a version such as 2.3.0, after = > >= < <= or alone, or *"],
    ["90.*", 0, '">=90-0 <91-0"'],
    ["<1 || 2.3.x", 6, '">=2.3-0 <2.4-0"'],
  ])("refuses %j at %i, expecting %s", (text, position, expected) => {
    expect(parseRange(text)).toMatchObject({ position, expected });
  });

  it("says what it found, and where, in a sentence", () => {
    expect(parseRange("<1 || >=nightly")).toHaveProperty(
      "problem",
      'expected a version such as 2.3.0 at character 9, found "nightly"',
    );
    expect(parseRange("<")).toHaveProperty(
      "problem",
      "expected a version such as 2.3.0 at character 2, found the end",
    );
  });

  it("proposes ranges that it reads and that mean the whole series", () => {
    expect(isIn("90.0.4430.85", ">=90-0 <91-0")).toBe(true);
    expect(isIn("90-rc.1", ">=90-0 <91-0")).toBe(true);
    expect(isIn("91-rc.1", ">=90-0 <91-0")).toBe(false);
  });

  it("stops at 200 characters", () => {
    expect(parseRange(">=2.3.0".padEnd(200))).toHaveProperty("alternatives");
    expect(parseRange(">=2.3.0".padEnd(201))).toMatchObject({
      position: 200,
      expected: "at most 200 characters",
    });
  });

  it("stops at 20 comparators, over all alternatives", () => {
    const twenty = Array.from({ length: 10 }, (_, at) => `>${at} <${at + 1}`).join("||");
    expect(parseRange(twenty)).toHaveProperty("alternatives");
    expect(parseRange(`${twenty}||*`)).toMatchObject({
      position: twenty.length + 2,
      expected: "at most 20 comparators",
    });
  });

  it("never throws, and points into the text", () => {
    const nearRange = fc
      .array(fc.oneof(fc.constantFrom("||", "|", ">=", "<", "=", "*", " ", "-0"), versionText))
      .map((parts) => parts.join(""));
    fc.assert(
      fc.property(fc.oneof(nearRange, fc.string({ unit: "binary" })), (text) => {
        const parsed = parseRange(text);
        if (!("problem" in parsed)) return;
        expect(parsed.position).toBeGreaterThanOrEqual(0);
        expect(parsed.position).toBeLessThanOrEqual(text.length);
        expect(parsed.problem).toContain(parsed.expected);
      }),
      { numRuns: 1000 },
    );
  });
});

describe("isEverything", () => {
  it.each([
    ["*", true],
    ["<1 || *", true],
    ["* <1", false],
    [">=0-0", false],
  ])("of %j is %s", (text, expected) => {
    const parsed = parseRange(text);
    if ("problem" in parsed) throw new Error(parsed.problem);
    expect(isEverything(parsed)).toBe(expected);
  });
});

function isIn(version: string, text: string): boolean {
  const parsed = parseRange(text);
  if ("problem" in parsed) throw new Error(`${text}: ${parsed.problem}`);
  return isInRange(versionOf(version), parsed);
}

function versionOf(text: string): Version {
  const version = parseVersion(text);
  if (version === undefined) throw new Error(`${text} is no version`);
  return version;
}
