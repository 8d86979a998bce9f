import { describe, expect, it } from "vitest";
import { resolveRelease } from "../../../relay/flag/release.ts";

const vocabulary = {
  releases: new Set(["2.2.0", "2.3.0", "nightly"]),
  aliases: new Map([
    ["2.3.0-4.el9", "2.3.0"],
    ["2.2.0", "2.3.0"],
    ["2.3.0-5.el9", "2.3.0-4.el9"],
    ["9.9-1", "9.9"],
  ]),
};

describe("resolveRelease", () => {
  it.each([
    ["2.3.0", "2.3.0"],
    ["nightly", "nightly"],
    ["2.3.0-4.el9", "2.3.0"],
  ])("finds %j as %j", (version, release) => {
    expect(resolveRelease(version, vocabulary)).toBe(release);
  });

  it("prefers a published release to an alias of the same name", () => {
    expect(resolveRelease("2.2.0", vocabulary)).toBe("2.2.0");
  });

  it.each(["", "2.3", "v2.3.0", "2.3.0 ", "2.3.0-4", "NIGHTLY", "constructor"])(
    "does not guess what %j is",
    (version) => {
      expect(resolveRelease(version, vocabulary)).toBeUndefined();
    },
  );

  it("follows an alias once, and only to a published release", () => {
    expect(resolveRelease("2.3.0-5.el9", vocabulary)).toBeUndefined();
    expect(resolveRelease("9.9-1", vocabulary)).toBeUndefined();
  });
});
