import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { joinKills, killCovers } from "../../../../nodes/cli/flag/kill-range.ts";
import { parseVersion } from "../../../../relay/flag/version.ts";
import { isInRange, parseRange } from "../../../../relay/flag/version-range.ts";

describe("killCovers", () => {
  it.each([
    ["*", "<2.3.5"],
    ["", "<2.3.5"],
    ["<2.3.6", "<2.3.5"],
    ["<=2.3.5", "<2.3.5"],
    [">=2.3.0 <2.3.6", ">=2.3.0 <2.3.5"],
    [">=2.3.0 <2.3.5 || =2.4.0", ">=2.3.0 <2.3.5"],
    [">2.2.0", "=2.3.0"],
    ["<2 || >=2.3", "=1.0 || =2.4"],
    ["<2.3.5", "<2.3.5"],
  ])("%j covers %j", (wider, narrower) => {
    expect(killCovers({ wider, narrower })).toBe(true);
  });

  it.each([
    ["<2.3.5", "*"],
    ["<2.3.5", ""],
    ["<2.3.5", "<=2.3.5"],
    [">2.3.0", ">=2.3.0"],
    ["=2.3.0", ">=2.3.0 <2.3.1"],
    [">=2.3.0 <2.3.5", ">=2.3.0"],
    [">=2.3.0", ">=2.3.0 || =2.1.0"],
    ["<2.3.5", "not a range"],
    ["not a range", "<2.3.5"],
  ])("%j does not cover %j", (wider, narrower) => {
    expect(killCovers({ wider, narrower })).toBe(false);
  });
});

const versionText = fc.tuple(fc.nat(3), fc.nat(3)).map((parts) => parts.join("."));
const comparator = fc
  .tuple(fc.constantFrom("=", ">", ">=", "<", "<="), versionText)
  .map(([operator, version]) => operator + version);
const range = fc
  .array(fc.array(comparator, { minLength: 1, maxLength: 2 }), { minLength: 1, maxLength: 3 })
  .map((alternatives) => alternatives.map((one) => one.join(" ")).join(" || "));

/** Every version that the comparators above can tell apart, and those between them. */
const versions = Array.from({ length: 64 }, (_, at) => `${at >> 4}.${(at >> 2) & 3}.${at & 3}`);

function held(text: string): string[] {
  const parsed = parseRange(text);
  if ("problem" in parsed) throw new Error(parsed.problem);
  return versions.filter((version) => {
    const read = parseVersion(version);
    return read !== undefined && isInRange(read, parsed);
  });
}

describe("for any two ranges", () => {
  it("what covers another holds all that the other holds", () => {
    fc.assert(
      fc.property(range, range, (wider, narrower) => {
        if (!killCovers({ wider, narrower })) return;
        expect(held(wider)).toEqual(expect.arrayContaining(held(narrower)));
      }),
      { numRuns: 2000 },
    );
  });

  it("both joined hold what either holds, and nothing else", () => {
    fc.assert(
      fc.property(range, range, (one, other) => {
        const joined = joinKills(one, other) ?? "";
        expect(held(joined)).toEqual(
          versions.filter(
            (version) => held(one).includes(version) || held(other).includes(version),
          ),
        );
      }),
      { numRuns: 300 },
    );
  });
});

it("joins no more than a range can hold", () => {
  const long = Array.from({ length: 19 }, (_, at) => `=${at}.0`).join(" || ");
  expect(joinKills(long, "=50.0 || =51.0")).toBeUndefined();
  expect(joinKills(long, "*")).toBe("*");
});
