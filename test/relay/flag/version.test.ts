import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareVersions, parseVersion, type Version } from "../../../relay/flag/version.ts";
import { versionText } from "./version-text.ts";

describe("parseVersion", () => {
  it.each([
    ["2", [2], []],
    ["2.3", [2, 3], []],
    ["24.04", [24, 4], []],
    ["90.0.4430.85", [90, 0, 4430, 85], []],
    ["2.4.0-rc.1", [2, 4, 0], ["rc", 1]],
    ["2.4.0-0", [2, 4, 0], [0]],
    ["2.4.0-x-y.0a", [2, 4, 0], ["x-y", "0a"]],
    ["2.3.0+g1f2e.007", [2, 3, 0], []],
    ["2.3.0-rc.1+g1f2e", [2, 3, 0], ["rc", 1]],
    ["9007199254740991", [9007199254740991], []],
  ])("reads %j", (text, numbers, prerelease) => {
    expect(parseVersion(text)).toEqual({ numbers, prerelease });
  });

  it.each([
    "",
    "nightly",
    "v2.3.0",
    " 2.3.0",
    "2.3.0\n",
    "2.",
    ".2",
    "2..3",
    "-2",
    "2.3.0-",
    "2.3.0-rc..1",
    "2.3.0-rc.01",
    "2.3.0+",
    "2.3.0+a+b",
    "2.3.0-rc_1",
    "2.*",
    "٢.٣",
    "9007199254740992",
    "2.3.0-9007199254740992",
  ])("knows that %j is no version", (text) => {
    expect(parseVersion(text)).toBeUndefined();
  });

  it("stops at 100 characters", () => {
    expect(parseVersion(`1.0-${"a".repeat(96)}`)).toBeDefined();
    expect(parseVersion(`1.0-${"a".repeat(97)}`)).toBeUndefined();
  });

  it("never throws", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => void parseVersion(text)));
  });

  it("reads every text of the grammar", () => {
    fc.assert(
      fc.property(versionText, (text) => {
        expect(parseVersion(text)).toBeDefined();
      }),
    );
  });
});

describe("compareVersions", () => {
  it("orders as SemVer's own example, section 11", () => {
    const ordered = [
      "1.0.0-alpha",
      "1.0.0-alpha.1",
      "1.0.0-alpha.beta",
      "1.0.0-beta",
      "1.0.0-beta.2",
      "1.0.0-beta.11",
      "1.0.0-rc.1",
      "1.0.0",
      "2.0.0",
      "2.1.0",
      "2.1.1",
    ];
    for (const [at, older] of ordered.entries()) {
      for (const newer of ordered.slice(at + 1)) {
        expect(signOf(older, newer), `${older} before ${newer}`).toBe(-1);
      }
    }
  });

  it.each([
    ["2.3", "2.3.0"],
    ["2", "2.0.0.0"],
    ["2.3.0+a", "2.3.0+b"],
    ["24.04", "24.4"],
    ["2.3-rc.1", "2.3.0-rc.1"],
  ])("ranks %j with %j", (left, right) => {
    expect(signOf(left, right)).toBe(0);
  });

  it.each([
    ["2.3.9", "2.3.10"],
    ["90.0.4430.85", "90.0.4430.93"],
    ["90", "90.0.0.1"],
    ["2.4.0-0", "2.4.0-rc.1"],
    ["2.4.0-rc.1", "2.4.0"],
    ["2.3.99", "2.4.0-0"],
    ["2.4.0-B", "2.4.0-a"],
  ])("puts %j before %j", (older, newer) => {
    expect(signOf(older, newer)).toBe(-1);
  });

  it("is a total order of ranks", () => {
    fc.assert(
      fc.property(versionText, versionText, versionText, (first, second, third) => {
        expect(signOf(first, first)).toBe(0);
        expect(signOf(first, second) + signOf(second, first)).toBe(0);
        const [low, middle, high] = [first, second, third]
          .map(versionOf)
          .toSorted(compareVersions) as [Version, Version, Version];
        expect(compareVersions(low, middle)).toBeLessThanOrEqual(0);
        expect(compareVersions(middle, high)).toBeLessThanOrEqual(0);
        expect(compareVersions(low, high)).toBeLessThanOrEqual(0);
        if (compareVersions(low, high) === 0) {
          expect([compareVersions(low, middle), compareVersions(middle, high)]).toEqual([0, 0]);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it("does not see trailing zeros or build metadata", () => {
    fc.assert(
      fc.property(versionText, versionText, (left, right) => {
        const longer = left.replace(/^[0-9.]+/, "$&.0.0").replace(/\+.*$|$/, "+other");
        expect(signOf(longer, left)).toBe(0);
        expect(signOf(longer, right)).toBe(signOf(left, right));
      }),
    );
  });
});

function versionOf(text: string): Version {
  const version = parseVersion(text);
  if (version === undefined) throw new Error(`${text} is no version`);
  return version;
}

function signOf(left: string, right: string): number {
  return Math.sign(compareVersions(versionOf(left), versionOf(right)));
}
