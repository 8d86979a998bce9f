import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { modalVerdict } from "../../../../relay/telemetry/disclosure/modal.ts";
import {
  histogram,
  panelOf,
  panelVerdict,
  type Ranked,
  seatsCount,
} from "../../../../relay/telemetry/disclosure/panel.ts";
import { type Tally, tallyOf } from "../../../../relay/telemetry/intake/tally.ts";
import type { VerdictWord } from "../../../../relay/telemetry/trial/verdict.ts";
import { vocabularyOf } from "../../../../relay/telemetry/vocabulary.ts";
import { weigh } from "../../../../relay/telemetry/weights.ts";
import { drawFraction } from "../../../../relay/trust/key.ts";
import { seedOf } from "../../authority.ts";
import { projectOf, reportOf, sharesOf } from "../fixture.ts";

const secret = seedOf("site");

describe("a panel", () => {
  const instances = fc.uniqueArray(fc.string({ maxLength: 6 }), { minLength: 1, maxLength: 60 });

  test("of the same instances is the same, in whatever order they report", () => {
    fc.assert(
      fc.property(instances, fc.infiniteStream(fc.nat()), (names, order) => {
        const shuffled = names
          .map((name) => ({ name, at: order.next().value }))
          .sort((a, b) => a.at - b.at);
        const panel = members(shuffled.map(({ name }) => name));
        expect(panel).toEqual(members(names));
        expect(panelOf(names.map(ranked))).toHaveLength(seatsCount);
      }),
    );
  });

  test("loses only who leaves, and who comes takes the place of one at most", () => {
    const names = Array.from({ length: 60 }, (_, n) => `instance-${n}`);
    const panel = members(names);
    expect(panel).toHaveLength(seatsCount);
    for (const gone of names) {
      const after = members(names.filter((name) => name !== gone));
      const kept = panel.filter((name) => after.includes(name));
      expect(kept).toHaveLength(panel.includes(gone) ? seatsCount - 1 : seatsCount);
    }
    for (let n = 0; n < 60; n++) {
      const after = members([...names, `new-${n}`]);
      const kept = panel.filter((name) => after.includes(name));
      expect(kept.length).toBeGreaterThanOrEqual(seatsCount - 1);
      if (!after.includes(`new-${n}`)) expect(after).toEqual(panel);
    }
  });

  test("is another one with another secret", () => {
    const names = Array.from({ length: 1000 }, (_, n) => `instance-${n}`);
    const others = members(names, seedOf("another site"));
    expect(members(names).filter((name) => others.includes(name)).length).toBeLessThan(6);
  });

  test("gives twentieths that sum to a whole, however many there are", () => {
    const vocabulary = vocabularyOf(projectOf().own);
    for (const count of [1, 3, 19, 20, 21, 700]) {
      const all = Array.from({ length: count }, (_, n) =>
        reportOf({ instance: `${n}`, version: ["1.0", "2.0", "x"][n % 3]!, on: ["alpha"] }),
      );
      const weights = histogram(weigh(seated(all), vocabulary));
      const shares = Object.values(sharesOf(weights, "releases"));
      expect(shares.every((share) => share % 500 === 0)).toBe(true);
      expect(shares.reduce((sum, share) => sum + share, 0)).toBe(10_000);
      expect(sharesOf(weights, "flags")).toEqual({ alpha: 10_000 });
      expect(weights.releases.every((weight) => weight.count === undefined)).toBe(true);
    }
  });

  test("of nobody says nothing", () => {
    expect(panelOf([])).toEqual([]);
  });

  test("may miss a single one among many: presence is no way to count", () => {
    const vocabulary = vocabularyOf(projectOf().own);
    const all = Array.from({ length: 1000 }, (_, n) =>
      reportOf({ instance: `${n}`, on: n === 0 ? ["alpha"] : [] }),
    );
    expect(members(all.map(({ instance }) => instance))).not.toContain("0");
    const weights = histogram(weigh(seated(all), vocabulary));
    expect(sharesOf(weights, "flags")).toEqual({});
  });
});

function seated(reports: readonly ReturnType<typeof reportOf>[]): Tally {
  const all = reports.map((report) => ({ ...ranked(report.instance), report }));
  return tallyOf(panelOf(all).map(({ report }) => report));
}

function ranked(instance: string): Ranked {
  return { rank: drawFraction(secret, instance), instance };
}

function members(instances: readonly string[], by: Uint8Array = secret): string[] {
  const all = instances.map((instance) => ({
    rank: drawFraction(by, instance),
    instance,
  }));
  return [...new Set(panelOf(all).map(({ instance }) => instance))].sort();
}

describe("a verdict", () => {
  const said = { verdict: "OK", basisPoints: 2_000, isWatched: true } as const;

  test("is OK of what four of twenty have, and was watched, however many instances there are", () => {
    expect(panelVerdict(said)).toBe("OK");
    expect(panelVerdict({ ...said, verdict: "INSUFFICIENT" })).toBe("OK");
    expect(panelVerdict({ ...said, basisPoints: 1_500 })).toBe("INSUFFICIENT");
    expect(panelVerdict({ ...said, isWatched: false })).toBe("INSUFFICIENT");
  });

  test("that something is wrong is said of whatever it is about", () => {
    for (const verdict of ["BAD", "DEGRADED"] as const)
      expect(panelVerdict({ verdict, basisPoints: 0, isWatched: false })).toBe(verdict);
    expect(["OK", "INSUFFICIENT", "BAD"].map((one) => modalVerdict(one as VerdictWord))).toEqual([
      "INSUFFICIENT",
      "INSUFFICIENT",
      "BAD",
    ]);
  });
});
