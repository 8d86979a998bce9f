import { create } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { HealthSchema, WeightsSchema } from "../../../../gen/headwater/v1/telemetry_pb.ts";
import { exact } from "../../../../relay/telemetry/disclosure/exact.ts";
import { rounded, roundedHealth } from "../../../../relay/telemetry/disclosure/rounded.ts";
import { tallyOf } from "../../../../relay/telemetry/intake/tally.ts";
import { vocabularyOf } from "../../../../relay/telemetry/vocabulary.ts";
import { weigh } from "../../../../relay/telemetry/weights.ts";
import { projectOf, reportOf, sharesOf } from "../fixture.ts";

const share = fc.integer({ min: 0, max: 10_000 });

describe("a rounded share", () => {
  test.each([
    [0, 0],
    [1, 500],
    [249, 500],
    [500, 500],
    [749, 500],
    [750, 1000],
    [9749, 9500],
    [9750, 10_000],
    [10_000, 10_000],
  ])("of %i basis points is shown as %i", (is, shown) => {
    expect(roundShare(is, undefined)).toBe(shown);
  });

  test("is a twentieth, never 0 for what is there, never anything for what is not", () => {
    const former = fc.option(fc.integer({ min: 0, max: 10_000 }), { nil: undefined });
    fc.assert(
      fc.property(share, former, (is, shown) => {
        const now = roundShare(is, shown);
        expect(now % 500).toBe(0);
        expect(now > 0).toBe(is > 0);
        expect(now).toBeLessThanOrEqual(10_000);
        if (is >= 500) expect(Math.abs(now - is)).toBeLessThanOrEqual(350);
      }),
      { numRuns: 1000 },
    );
  });

  test("sticks to what was shown near an edge, and moves when it has left it", () => {
    expect([1740, 1760, 1850].map((is) => roundShare(is, 1500))).toEqual([1500, 1500, 1500]);
    expect(roundShare(1851, 1500)).toBe(2000);
    expect(roundShare(1649, 2000)).toBe(1500);
    // What wobbles around an edge shows none of its crossings.
    const wobble = [1749, 1751, 1748, 1752, 1740, 1760];
    let shown = roundShare(wobble[0]!, undefined);
    const all = wobble.map((is) => (shown = roundShare(is, shown)));
    expect(new Set(all).size).toBe(1);
  });

  test("shows at once what has come and what has gone", () => {
    expect(roundShare(1, 0)).toBe(500);
    expect(roundShare(0, 500)).toBe(0);
  });
});

describe("rounded weights", () => {
  const vocabulary = vocabularyOf(projectOf().own);
  const reports = Array.from({ length: 7 }, (_, n) =>
    reportOf({ instance: `${n}`, version: n < 2 ? "2.0" : "1.0", on: ["alpha"] }),
  );

  test("have no counts, of any word", () => {
    const shown = rounded(weigh(tallyOf(reports), vocabulary), undefined);
    expect(sharesOf(shown, "releases")).toEqual({ "1.0": 7000, "2.0": 3000 });
    for (const list of ["releases", "degraded", "failed", "flags"] as const)
      for (const weight of shown[list]) expect(weight.count).toBeUndefined();
  });

  test("do not repeat what an exact document has shown before", () => {
    const weights = weigh(tallyOf(reports), vocabulary);
    const shown = rounded(weights, exact(weights));
    expect(sharesOf(shown, "releases")).toEqual({ "1.0": 7000, "2.0": 3000 });
  });
});

/** One share after disclosure. @param before what was shown of it last */
function roundShare(basisPoints: number, before: number | undefined): number {
  const of = (one: number) => create(WeightsSchema, { flags: [{ name: "a", basisPoints: one }] });
  return rounded(of(basisPoints), before === undefined ? before : of(before)).flags[0]!
    .basisPoints!;
}

test("arrival is rounded too: an exact share would tell how many children there are", () => {
  const health = create(HealthSchema, {
    releases: [{ release: "1.0", judgement: 3 }],
    arrival: { term: 2, seq: 9, basisPoints: 1429 },
  });
  expect(roundedHealth(health, undefined)).toMatchObject({
    releases: [{ release: "1.0", judgement: 3 }],
    arrival: { term: 2, seq: 9, basisPoints: 1500 },
  });
});
