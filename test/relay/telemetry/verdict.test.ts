import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Random } from "../../../relay/random.ts";
import {
  type HealthCounts,
  joinVerdicts,
  judge,
  type VerdictWord,
  verdicts,
} from "../../../relay/telemetry/verdict.ts";

const of = (instances: number, failed: number, degraded: number = 0): HealthCounts => ({
  instances,
  degraded,
  failed,
});

describe("a release against the one before it", () => {
  test.each<[string, HealthCounts, HealthCounts, VerdictWord]>([
    ["too few of it", of(19, 19), of(1000, 0), "INSUFFICIENT"],
    ["too few before it", of(1000, 500), of(19, 0), "INSUFFICIENT"],
    ["nothing wrong", of(100, 0), of(100, 0), "OK"],
    ["fewer failures", of(100, 0), of(100, 50), "OK"],
    ["as many failures", of(100, 10), of(100, 10), "OK"],
    ["all failed", of(20, 20), of(20, 0), "BAD"],
    ["a tenth failed", of(200, 20), of(200, 2), "BAD"],
    ["a tenth degraded", of(200, 0, 20), of(200, 0, 2), "DEGRADED"],
    ["failures for degradations", of(200, 20, 0), of(200, 0, 20), "BAD"],
    ["a significant difference that nobody would act on", of(1e6, 4000), of(1e6, 0), "OK"],
    ["one failure of twenty, where two in a thousand fail", of(20, 1), of(10_000, 20), "OK"],
    ["two failures of twenty, where one in a hundred fails", of(20, 2), of(10_000, 100), "OK"],
  ])("with %s", (_, release, before, expected) => {
    expect(judge(release, before)).toBe(expected);
  });

  test("is judged as the exact test says (tail of the hypergeometric, counted in whole numbers)", () => {
    const side = fc.integer({ min: 20, max: 60 });
    fc.assert(
      fc.property(side, side, fc.nat(59), fc.nat(59), (a, b, x, y) => {
        const [hits, before] = [Math.min(a, x), Math.min(b, y)];
        const tail = tailOf({ hits, of: a, hitsBefore: before, ofBefore: b });
        const isMore = hits / a - before / b > 0.005 && tail <= 0.005;
        expect(judge(of(a, hits), of(b, before))).toBe(isMore ? "BAD" : "OK");
      }),
      { numRuns: 500 },
    );
  });

  test("answers for the largest of fleets", () => {
    expect(judge(of(500_000, 10_000), of(500_000, 5000))).toBe("BAD");
    expect(judge(of(500_000, 500_000), of(500_000, 500_000))).toBe("OK");
  });

  // Releases that fail no more often than the one before. Stated are 0.5 % for either question, so
  // 1 % for both; measured are, in the worst of these cases, the shares below.
  test("is called worse without being so at most as often as is stated", () => {
    const random = new Random(20_260_101);
    const runsCount = 4000;
    const alarms: { bad: number; worse: number }[] = [];
    for (const [instances, before] of [
      [20, 20],
      [20, 2000],
      [200, 200],
      [500, 50],
      [100, 1000],
    ] as const)
      for (const rate of [0.002, 0.01, 0.05, 0.3]) {
        let bad = 0;
        let worse = 0;
        for (let run = 0; run < runsCount; run++) {
          const verdict = judge(drawn(random, instances, rate), drawn(random, before, rate));
          if (verdict === "BAD") bad++;
          if (verdict === "BAD" || verdict === "DEGRADED") worse++;
        }
        // Three standard deviations of the measurement itself.
        const slack = (share: number) => share + 3 * Math.sqrt(share / runsCount);
        expect(bad / runsCount).toBeLessThan(slack(0.005));
        expect(worse / runsCount).toBeLessThan(slack(0.01));
        alarms.push({ bad: bad / runsCount, worse: worse / runsCount });
      }
    expect(Math.max(...alarms.map((one) => one.bad))).toBe(0.0045);
    expect(Math.max(...alarms.map((one) => one.worse))).toBe(0.00775);
  });

  test("is found bad when it is: ten times the failures, of two hundred", () => {
    const random = new Random(7);
    let found = 0;
    for (let run = 0; run < 500; run++)
      if (judge(drawn(random, 200, 0.1), drawn(random, 2000, 0.01)) === "BAD") found++;
    expect(found / 500).toBeGreaterThan(0.98);
  });
});

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
    expect(joinVerdicts(all)).toBe(expected);
  });

  test("does not depend on their order, and no single one of several makes it BAD", () => {
    const word = fc.constantFrom(...verdicts);
    fc.assert(
      fc.property(fc.array(word), (all) => {
        expect(joinVerdicts([...all].reverse())).toBe(joinVerdicts(all));
        const conclusive = all.filter((one) => one !== "INSUFFICIENT" && one !== "BAD");
        if (conclusive.length > 0) expect(joinVerdicts([...conclusive, "BAD"])).toBe("DEGRADED");
      }),
    );
  });
});

function many(word: VerdictWord, count: number): VerdictWord[] {
  return Array.from({ length: count }, () => word);
}

/** Instances that fail, or else are degraded, at a rate each. */
function drawn(random: Random, instances: number, rate: number): HealthCounts {
  let [failed, degraded] = [0, 0];
  for (let n = 0; n < instances; n++) {
    const [isFailed, isDegraded] = [random.fraction() < rate, random.fraction() < rate];
    if (isFailed) failed++;
    else if (isDegraded) degraded++;
  }
  return { instances, failed, degraded };
}

/** The chance of `hits` or more of all hits on this side, if sides do not matter. */
function tailOf(side: { hits: number; of: number; hitsBefore: number; ofBefore: number }): number {
  const allHits = side.hits + side.hitsBefore;
  const all = side.of + side.ofBefore;
  let [ways, total] = [0n, 0n];
  for (let k = Math.max(0, side.of - (all - allHits)); k <= Math.min(side.of, allHits); k++) {
    const count = choose(allHits, k) * choose(all - allHits, side.of - k);
    total += count;
    if (k >= side.hits) ways += count;
  }
  return Number((ways * 1_000_000_000_000n) / total) / 1e12;
}

function choose(n: number, k: number): bigint {
  let result = 1n;
  for (let i = 1; i <= k; i++) result = (result * BigInt(n - k + i)) / BigInt(i);
  return result;
}
