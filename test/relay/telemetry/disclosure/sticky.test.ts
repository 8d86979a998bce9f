import { create } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Weights, WeightsSchema } from "../../../../gen/headwater/v1/telemetry_pb.ts";
import { sticky } from "../../../../relay/telemetry/disclosure/sticky.ts";
import { seedOf } from "../../authority.ts";

const share = fc.integer({ min: 0, max: 10_000 });
const name = fc.string({ minLength: 1, maxLength: 8 });
const former = fc.option(
  fc.integer({ min: 0, max: 20 }).map((n) => n * 500),
  { nil: undefined },
);

describe("a drawn share", () => {
  test("is a twentieth, less than one step away, and keeps nothing and all as they are", () => {
    fc.assert(
      fc.property(share, name, former, (is, item, shown) => {
        const now = drawn(is, { item, shown });
        expect(now % 500).toBe(0);
        expect(Math.abs(now - is)).toBeLessThan(601);
        if (is === 0 || is === 10_000) expect(now).toBe(is);
      }),
      { numRuns: 1000 },
    );
  });

  test("is without bias over many items, and the same each time for one", () => {
    for (const is of [40, 250, 1234, 5001, 9_960]) {
      const all = Array.from({ length: 4000 }, (_, n) => drawn(is, { item: `item-${n}` }));
      const mean = all.reduce((sum, one) => sum + one, 0) / all.length;
      // Four standard errors of a step of 500.
      expect(Math.abs(mean - is)).toBeLessThan((4 * 250) / Math.sqrt(all.length));
      expect(drawn(is, { item: "item-7" })).toBe(drawn(is, { item: "item-7" }));
    }
  });

  test("stays where it was while the share wobbles around an edge", () => {
    fc.assert(
      fc.property(
        share,
        name,
        fc.array(fc.integer({ min: -40, max: 40 }), { maxLength: 9 }),
        (is, item, wobble) => {
          let shown = drawn(is, { item });
          const all = wobble.map((by) => {
            const near = Math.min(9_999, Math.max(1, is + by));
            return (shown = drawn(near, { item, shown }));
          });
          expect(new Set(all).size).toBeLessThanOrEqual(2);
          // Once it has moved it stays: it never goes back and forth.
          const moves = all.filter((one, at) => at > 0 && one !== all[at - 1]);
          expect(moves.length).toBeLessThanOrEqual(1);
        },
      ),
    );
  });

  test("never rounds presence to zero where that is promised", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000 }), name, former, (is, item, shown) => {
        expect(drawn(is, { item, shown, least: 500 })).toBeGreaterThanOrEqual(500);
      }),
    );
  });

  test("of two secrets is drawn apart", () => {
    const of = (secret: string) =>
      Array.from({ length: 64 }, (_, n) => drawn(250, { item: `${n}`, secret })).join();
    expect(of("one")).not.toBe(of("other"));
  });
});

function drawn(
  basisPoints: number,
  of: { item: string; shown?: number | undefined; least?: number; secret?: string },
): number {
  const weights = (one: number): Weights =>
    create(WeightsSchema, { flags: [{ name: of.item, basisPoints: one }] });
  return sticky(weights(basisPoints), {
    shown: of.shown === undefined ? undefined : weights(of.shown),
    secret: seedOf(of.secret ?? "site"),
    least: of.least ?? 0,
  }).flags[0]!.basisPoints!;
}
