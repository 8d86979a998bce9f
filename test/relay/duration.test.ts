import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatDuration, parseDuration } from "../../relay/duration.ts";

describe("parseDuration", () => {
  it.each([
    ["500ms", 500],
    ["30s", 30_000],
    ["5m", 300_000],
    ["24h", 86_400_000],
    ["30d", 2_592_000_000],
    ["1h30m", 5_400_000],
    [" 1d ", 86_400_000],
  ])("reads %j as %i ms", (text, durationMs) => {
    expect(parseDuration(text)).toBe(durationMs);
  });

  it.each(["", "0s", "h", "1.5h", "-1s", "30 s", "30m1h", "9".repeat(30) + "d"])(
    "refuses %j, with the mend",
    (text) => {
      expect(parseDuration(text)).toMatchObject({ problem: expect.stringContaining(": write ") });
    },
  );

  it("asks for the unit of a bare number", () => {
    expect(parseDuration("30")).toEqual({
      problem: '"30" is no duration: write its unit too, such as 30s',
    });
  });
});

describe("formatDuration", () => {
  it.each([
    [0, "0s"],
    [250, "250ms"],
    [1_999, "1s"],
    [90_000, "1m 30s"],
    [86_400_000, "1d"],
    [90_061_000, "1d 1h"],
  ])("writes %i ms as %j", (durationMs, text) => {
    expect(formatDuration(durationMs)).toBe(text);
  });

  it("is read back as what it was, but for the units that it leaves out", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 40 }), (durationMs) => {
        const read = parseDuration(formatDuration(durationMs).replaceAll(" ", ""));
        expect(read).toBeLessThanOrEqual(durationMs);
        expect(read).toBeGreaterThan(durationMs / 2);
      }),
    );
  });
});
