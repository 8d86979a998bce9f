import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { tallyOf } from "../../../relay/telemetry/intake/tally.ts";
import { vocabularyOf } from "../../../relay/telemetry/vocabulary.ts";
import { meanOf, type Reporter, weigh, whole } from "../../../relay/telemetry/weights.ts";
import { projectOf, reportOf, sharesOf, weightsDocument } from "./fixture.ts";

const vocabulary = vocabularyOf(projectOf().own);

describe("weights are shares of the instances that report", () => {
  test("by release, by health on it, and by flags last answered on", () => {
    const weights = weigh(
      tallyOf([
        reportOf({ instance: "1", on: ["alpha"], off: ["beta"] }),
        reportOf({ instance: "2", health: "DEGRADED", on: ["alpha", "alpha"] }),
        reportOf({ instance: "3", version: "2.0", health: "FAILED", on: ["beta", "gamma"] }),
        reportOf({ instance: "4", version: "2.0-dirty", health: "GREAT" }),
      ]),
      vocabulary,
    );
    expect(sharesOf(weights, "releases")).toEqual({ "1.0": 5000, "2.0": 2500, other: 2500 });
    expect(sharesOf(weights, "degraded")).toEqual({ "1.0": 2500 });
    expect(sharesOf(weights, "failed")).toEqual({ "2.0": 2500 });
    expect(sharesOf(weights, "flags")).toEqual({ alpha: 5000, beta: 2500 });
    expect(weights.releases.map(({ count }) => count)).toEqual([2, 1, 1]);
  });

  test("of nobody are zeros for every word", () => {
    const weights = weigh(tallyOf([]), vocabulary);
    expect(weights.releases).toMatchObject([
      { name: "1.0", basisPoints: 0, count: 0 },
      { name: "2.0", basisPoints: 0, count: 0 },
      { name: "other", basisPoints: 0, count: 0 },
    ]);
    expect(weights.flags.map(({ name }) => name)).toEqual(["alpha", "beta"]);
  });

  test("never lose what is there at all, however large the fleet", () => {
    const many = Array.from({ length: 30_000 }, (_, n) => reportOf({ instance: `${n}` }));
    const last = reportOf({ instance: "last", version: "2.0", health: "FAILED", on: ["beta"] });
    const weights = weigh(tallyOf([...many, last]), vocabulary);
    for (const list of ["releases", "failed", "flags"] as const)
      expect(Object.values(sharesOf(weights, list))).toContain(1);
  });
});

describe("a mean", () => {
  const share = fc.integer({ min: 0, max: 0xffff_ffff });
  const reporter: fc.Arbitrary<Reporter> = fc
    .record({ "1.0": share, "2.0": share, secret: share })
    .map((releases) => ({
      weights: weightsDocument(releases).weights!,
      hasCounts: false,
      isModal: false,
    }));

  test("gives no reporter more than its share, whatever it says", () => {
    fc.assert(
      fc.property(fc.array(reporter, { maxLength: 6 }), reporter, (others, liar) => {
        const [with_, without] = [
          meanOf([...others, liar], vocabulary),
          meanOf([...others, { ...liar, weights: weigh(tallyOf([]), vocabulary) }], vocabulary),
        ];
        for (const [n, { basisPoints = 0 }] of with_.releases.entries()) {
          const before = without.releases[n]!.basisPoints ?? 0;
          expect(basisPoints).toBeLessThanOrEqual(whole);
          const most = Math.ceil(whole / (others.length + 1)) + 1;
          expect(basisPoints - before).toBeLessThanOrEqual(most);
          expect(basisPoints).toBeGreaterThanOrEqual(before);
        }
      }),
    );
  });

  test("is over all reporters, equally, and never made up to a whole", () => {
    const of = (releases: Record<string, number>): Reporter => ({
      weights: weightsDocument(releases).weights!,
      hasCounts: false,
      isModal: false,
    });
    const mean = meanOf([of({ "1.0": 10_000 }), of({ "2.0": 500 }), of({})], vocabulary);
    expect(sharesOf(mean, "releases")).toEqual({ "1.0": 3333, "2.0": 167 });
  });

  test("names no word that is not in the vocabulary, and every word that is", () => {
    fc.assert(
      fc.property(fc.array(reporter), (reporters) => {
        const { releases, flags } = meanOf(reporters, vocabulary);
        expect(releases.map(({ name }) => name)).toEqual(["1.0", "2.0", "other"]);
        expect(flags.map(({ name }) => name)).toEqual(["alpha", "beta"]);
      }),
    );
  });

  test("of five thousand, one of whom has it, is not nothing", () => {
    const none: Reporter = {
      weights: weigh(tallyOf([]), vocabulary),
      hasCounts: false,
      isModal: false,
    };
    const one: Reporter = {
      weights: weightsDocument({ "2.0": 500 }).weights!,
      hasCounts: false,
      isModal: false,
    };
    const mean = meanOf([...Array.from({ length: 4999 }, () => none), one], vocabulary);
    expect(sharesOf(mean, "releases")).toEqual({ "2.0": 1 });
  });

  test("counts when everybody counts, and never past what its field holds", () => {
    const of = (count: number, hasCounts: boolean): Reporter => ({
      weights: weightsDocument({ "1.0": 1 }, { counts: { "1.0": count } }).weights!,
      hasCounts,
      isModal: false,
    });
    const counted = (...reporters: Reporter[]) => meanOf(reporters, vocabulary).releases[0]?.count;
    expect(counted(of(2, true), of(3, true))).toBe(5);
    expect(counted(of(2, true), of(3, false))).toBe(0);
    expect(counted(of(0xffff_ffff, true), of(1, true))).toBe(0xffff_ffff);
  });

  test("of what some say nothing of is a part of what runs, where those run nothing, too", () => {
    const of = (releases: Record<string, number>, alpha?: number): Reporter => {
      const weights = weightsDocument(releases).weights!;
      weights.flags = weightsDocument({ alpha: alpha ?? 0 }).weights!.releases;
      return { weights, hasCounts: false, isModal: alpha === undefined };
    };
    const idle = Array.from({ length: 9 }, () => of({}));
    const mean = meanOf([of({ "1.0": 10_000 }, 500), ...idle], vocabulary);
    expect(sharesOf(mean, "releases")).toEqual({ "1.0": 1000 });
    expect(sharesOf(mean, "flags")).toEqual({ alpha: 50 });
    const busy = Array.from({ length: 9 }, () => of({ "1.0": 10_000 }));
    const all = meanOf([of({ "1.0": 10_000 }, 500), ...busy], vocabulary);
    expect(sharesOf(all, "flags")).toEqual({ alpha: 500 });
  });

  test("of what nobody says who runs it is not known, and never a zero", () => {
    const of = (releases: Record<string, number>, isModal: boolean): Reporter => ({
      weights: weightsDocument(releases).weights!,
      hasCounts: false,
      isModal,
    });
    const known = (...reporters: Reporter[]) => meanOf(reporters, vocabulary).releasesOnly;
    const [small, idleSmall] = [of({ "1.0": 10_000 }, true), of({}, true)];
    const [large, idleLarge] = [of({ "1.0": 5000 }, false), of({}, false)];
    expect(known(small)).toBe(1);
    expect(known(small, idleLarge)).toBe(1);
    expect(known(small, large)).toBe(0);
    expect(known(idleSmall, idleLarge)).toBe(0);
    expect(known()).toBe(0);
  });

  test("says of no release that more of it has failed than those say who tell", () => {
    const telling: Reporter = {
      weights: weightsDocument({ "1.0": 10_000 }).weights!,
      hasCounts: false,
      isModal: false,
    };
    telling.weights.failed = weightsDocument({ "1.0": 1000 }).weights!.releases;
    const small = Array.from({ length: 9 }, () => ({
      weights: weightsDocument({ "2.0": 10_000 }).weights!,
      hasCounts: false,
      isModal: true,
    }));
    const mean = meanOf([telling, ...small], vocabulary);
    expect(sharesOf(mean, "releases")).toEqual({ "1.0": 1000, "2.0": 9000 });
    expect(sharesOf(mean, "failed")).toEqual({ "1.0": 100 });
  });

  test("has no more failed of a release than run it, of whom rounding makes more than a whole", () => {
    const releases = Array.from({ length: 30 }, (_, n) => `1.${n}`);
    const child: Reporter = {
      weights: weightsDocument(Object.fromEntries(releases.map((one) => [one, 500]))).weights!,
      hasCounts: false,
      isModal: false,
    };
    child.weights.failed = weightsDocument({ "1.7": 500 }).weights!.releases;
    const mean = meanOf([child], vocabularyOf(projectOf({ releases }).own));
    expect(sharesOf(mean, "releases")["1.7"]).toBe(333);
    expect(sharesOf(mean, "failed")).toEqual({ "1.7": 333 });
  });
});
