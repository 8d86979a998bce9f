import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatPercent, parsePercent } from "../../../relay/flag/percent.ts";

describe("parsePercent", () => {
  it.each([
    ["0", 0],
    ["5", 500],
    ["5%", 500],
    ["5 %", 500],
    [" 0.25% ", 25],
    ["0.01", 1],
    ["0.29", 29],
    ["5.1", 510],
    ["5.1200", 512],
    ["005", 500],
    ["100", 10_000],
    ["100.00%", 10_000],
  ])("reads %j as %i basis points", (text, basisPoints) => {
    expect(parsePercent(text)).toBe(basisPoints);
  });

  it.each([
    ["5.125", '"5.125" is finer than steps of 0.01 %: write 5.12 % or 5.13 %'],
    ["99.999%", '"99.999%" is finer than steps of 0.01 %: write 99.99 % or 100 %'],
    ["100.01", '"100.01" is more than everybody: write 0 to 100'],
    ["100.001", '"100.001" is more than everybody: write 0 to 100'],
    ["9".repeat(400), `"${"9".repeat(20)}…" is more than everybody: write 0 to 100`],
    ["-1%", '"-1%" is less than nobody: write 0 to 100'],
    ["5,5 %", '"5,5 %" is no percentage: write 5.5 %'],
    ["", '"" is no percentage: write a number from 0 to 100, such as 0.25'],
    ["all", '"all" is no percentage: write a number from 0 to 100, such as 0.25'],
    ["1e1", '"1e1" is no percentage: write a number from 0 to 100, such as 0.25'],
    [".5", '".5" is no percentage: write a number from 0 to 100, such as 0.25'],
    ["5 %%", '"5 %%" is no percentage: write a number from 0 to 100, such as 0.25'],
  ])("refuses %j, with the mend", (text, problem) => {
    expect(parsePercent(text)).toEqual({ problem });
  });

  it("never throws, and answers whole basis points from 0 to 10000 or a problem", () => {
    const nearPercent = fc.stringMatching(/^[0-9]{0,4}[.,]?[0-9]{0,4} ?%?$/);
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "binary" }), nearPercent), (text) => {
        const parsed = parsePercent(text);
        if (typeof parsed === "object") {
          expect(parsed.problem).toContain("write");
          return;
        }
        expect(Number.isInteger(parsed)).toBe(true);
        expect(parsed).toBeGreaterThanOrEqual(0);
        expect(parsed).toBeLessThanOrEqual(10_000);
      }),
      { numRuns: 1000 },
    );
  });
});

describe("formatPercent", () => {
  it.each([
    [0, "0 %"],
    [1, "0.01 %"],
    [25, "0.25 %"],
    [29, "0.29 %"],
    [500, "5 %"],
    [1250, "12.5 %"],
    [10_000, "100 %"],
  ])("writes %i basis points as %j", (basisPoints, text) => {
    expect(formatPercent(basisPoints)).toBe(text);
  });

  it("is read back as what it was, at every step", () => {
    for (let basisPoints = 0; basisPoints <= 10_000; basisPoints++) {
      expect(parsePercent(formatPercent(basisPoints))).toBe(basisPoints);
    }
  });
});
