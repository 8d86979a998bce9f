import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Random } from "../../../../relay/random.ts";
import {
  type ArmCounts,
  falseAlarmShareMax,
  joinVerdicts,
  judge,
  type VerdictWord,
  verdicts,
} from "../../../../relay/telemetry/trial/verdict.ts";
import { type Failing, type ModelSite, modelTrial } from "./trial-model.ts";

/** As many intervals each, unless said otherwise. */
const of = (
  instances: number,
  failed: number,
  { degraded = 0, halfIntervals = 10 * instances } = {},
): ArmCounts => ({ instances, failed, unwell: failed + degraded, halfIntervals });

describe("one side against the other", () => {
  test.each<[string, ArmCounts, ArmCounts, VerdictWord]>([
    ["too few of it", of(19, 19), of(1000, 0), "INSUFFICIENT"],
    ["too few to compare with", of(1000, 500), of(19, 0), "INSUFFICIENT"],
    ["nothing wrong", of(100, 0), of(100, 0), "OK"],
    ["fewer failures", of(100, 0), of(100, 50), "OK"],
    ["as many failures", of(100, 10), of(100, 10), "OK"],
    ["all failed", of(20, 20), of(20, 0), "BAD"],
    ["all failed at once", of(20, 20, { halfIntervals: 20 }), of(20, 0), "BAD"],
    ["a tenth failed", of(200, 20), of(200, 1), "BAD"],
    ["a tenth degraded", of(200, 0, { degraded: 20 }), of(200, 0, { degraded: 1 }), "DEGRADED"],
    ["failures for degradations", of(200, 20), of(200, 0, { degraded: 20 }), "BAD"],
    ["a significant difference that nobody would act on", of(1e6, 2000), of(1e6, 0), "OK"],
    ["one failure of twenty, where two in a thousand fail", of(20, 1), of(10_000, 20), "OK"],
    ["as many failures in as long a time", of(200, 20), of(200, 2, { halfIntervals: 200 }), "OK"],
    ["as many failures of as many", of(200, 20, { halfIntervals: 200 }), of(200, 20), "OK"],
    ["half a million on each side", of(500_000, 10_000), of(500_000, 5000), "BAD"],
    ["nobody well", of(500_000, 500_000), of(500_000, 500_000), "OK"],
  ])("with %s", (_, subject, control, expected) => {
    expect(judge(subject, control, 2)).toBe(expected);
  });

  test("is judged by what its look may have of a trial's false alarms", () => {
    // Fisher's share of such a difference or a greater one is 0.000 66.
    const words = [0, 1, 2, 3].map((look) => judge(of(2500, 16), of(2500, 2), look));
    expect(words).toEqual(["OK", "OK", "BAD", "OK"]);
  });
});

/** Sites of different sizes and ways to upgrade. */
const sites: readonly Omit<ModelSite, "before" | "after">[] = [
  { instances: 60, upgradeWindows: 6 },
  { instances: 500, upgradeWindows: 1 },
  { instances: 500, upgradeWindows: 12 },
  { instances: 500, upgradeWindows: 12, waves: 4 },
  { instances: 200, upgradeWindows: 100 },
];

const failings: readonly Failing[] = [
  { atOnce: 0.01, eachWindow: 0 },
  { atOnce: 0.3, eachWindow: 0 },
  { atOnce: 0, eachWindow: 0.001 },
  { atOnce: 0, eachWindow: 0.01 },
  { atOnce: 0.01, eachWindow: 0.001 },
];

describe("over all four looks of a trial", () => {
  // Stated is falseAlarmShareMax; each case is allowed three standard deviations of its own
  // measurement above it. The figures below are what the seed gives, of 1000 runs each.
  test("what fails as often as before is called bad no more often than is stated", () => {
    const random = new Random(20_260_101);
    const runsCount = 1000;
    const shares = sites.flatMap((site) =>
      failings.map((failing) => {
        const alarms = count(runsCount, () => badAt({ ...site, before: failing, after: failing }));
        return alarms / runsCount;
      }),
    );
    const slack = 3 * Math.sqrt(falseAlarmShareMax / runsCount);
    expect(Math.max(...shares)).toBeLessThan(falseAlarmShareMax + slack);
    expect(Math.max(...shares)).toBe(0.002);
    expect(shares.reduce((sum, share) => sum + share) / shares.length).toBeCloseTo(0.000_36, 5);

    function badAt(site: ModelSite): boolean {
      return modelTrial(site, random).at(-1) === "BAD";
    }
  });

  test("1 % failing of 5000 instances, where 1 ‰ did, is bad within 24 hours", () => {
    const random = new Random(7);
    const runsCount = 400;
    const found = [1, 12, 24].map((upgradeWindows) => {
      const site = { instances: 5000, upgradeWindows };
      const before = { atOnce: 0.001, eachWindow: 0 };
      const after = { atOnce: 0.01, eachWindow: 0 };
      const isFound = (): boolean => modelTrial({ ...site, before, after }, random)[2] === "BAD";
      return count(runsCount, isFound) / runsCount;
    });
    expect(Math.min(...found)).toBeGreaterThan(0.95);
    expect(found).toEqual([0.985, 0.9975, 0.9975]);
  });
});

function joined(all: readonly VerdictWord[]): VerdictWord {
  const number = (word: VerdictWord): number => all.filter((one) => one === word).length;
  return joinVerdicts({ OK: number("OK"), DEGRADED: number("DEGRADED"), BAD: number("BAD") });
}

function count(times: number, isHit: () => boolean): number {
  let hits = 0;
  for (let n = 0; n < times; n++) if (isHit()) hits++;
  return hits;
}

describe("what a parent makes of its children's verdicts", () => {
  test.each<[VerdictWord[], VerdictWord]>([
    [[], "INSUFFICIENT"],
    [["INSUFFICIENT", "INSUFFICIENT"], "INSUFFICIENT"],
    [["BAD"], "BAD"],
    [["BAD", "INSUFFICIENT", "INSUFFICIENT"], "BAD"],
    [["DEGRADED"], "DEGRADED"],
    [["BAD", "OK"], "DEGRADED"],
    [["BAD", "BAD"], "BAD"],
    [["BAD", "BAD", "OK"], "BAD"],
    [["OK", "DEGRADED"], "DEGRADED"],
    [["OK", "OK", "INSUFFICIENT"], "OK"],
    [[...many("BAD", 2), ...many("OK", 38)], "BAD"],
    [[...many("BAD", 2), ...many("OK", 39)], "DEGRADED"],
    [[...many("BAD", 5), ...many("OK", 95)], "BAD"],
    [[...many("BAD", 5), ...many("OK", 95), ...many("INSUFFICIENT", 500)], "BAD"],
    [[...many("BAD", 4), ...many("OK", 96)], "DEGRADED"],
  ])("%j is %s", (all, expected) => {
    expect(joined(all)).toBe(expected);
  });

  test("no single one of several makes it BAD", () => {
    const word = fc.constantFrom(...verdicts);
    fc.assert(
      fc.property(fc.array(word), (all) => {
        const conclusive = all.filter((one) => one !== "INSUFFICIENT" && one !== "BAD");
        if (conclusive.length > 0) expect(joined([...conclusive, "BAD"])).toBe("DEGRADED");
      }),
    );
  });
});

function many(word: VerdictWord, count: number): VerdictWord[] {
  return Array.from({ length: count }, () => word);
}
