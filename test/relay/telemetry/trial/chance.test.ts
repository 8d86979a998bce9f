import fc from "fast-check";
import { expect, test } from "vitest";
import { binomialTail, fisherTail } from "../../../../relay/telemetry/trial/chance.ts";

const side = fc.integer({ min: 1, max: 60 });

test("Fisher's tail is the hypergeometric one, counted in whole numbers", () => {
  fc.assert(
    fc.property(side, side, fc.nat(60), fc.nat(60), (a, b, x, y) => {
      const [hits, others] = [Math.min(a, x), Math.min(b, y)];
      const allHits = hits + others;
      let [ways, total] = [0n, 0n];
      for (let k = Math.max(0, allHits - b); k <= Math.min(a, allHits); k++) {
        const count = choose(a, k) * choose(b, allHits - k);
        total += count;
        if (k >= hits) ways += count;
      }
      const exact = Number((ways * 10n ** 15n) / total) / 1e15;
      expect(fisherTail({ hits, of: a }, { hits: others, of: b })).toBeCloseTo(exact, 10);
    }),
  );
});

test("the binomial tail is the sum of its terms", () => {
  fc.assert(
    fc.property(
      side,
      fc.nat(60),
      fc.double({ min: 0.001, max: 0.999, noNaN: true }),
      (of, x, share) => {
        const hits = Math.min(of, x);
        let sum = 0;
        for (let k = hits; k <= of; k++)
          sum += Number(choose(of, k)) * share ** k * (1 - share) ** (of - k);
        expect(binomialTail({ hits, of }, share)).toBeCloseTo(sum, 8);
      },
    ),
  );
});

test("what is certain, and what can not be, are 1 and 0", () => {
  expect(binomialTail({ hits: 0, of: 5 }, 0)).toBe(1);
  expect(binomialTail({ hits: 5, of: 5 }, 1)).toBe(1);
  expect(binomialTail({ hits: 1, of: 5 }, 0)).toBe(0);
  expect(fisherTail({ hits: 0, of: 5 }, { hits: 5, of: 5 })).toBeCloseTo(1, 12);
  expect(fisherTail({ hits: 500_000, of: 500_000 }, { hits: 0, of: 500_000 })).toBe(0);
});

function choose(n: number, k: number): bigint {
  let result = 1n;
  for (let i = 1; i <= k; i++) result = (result * BigInt(n - k + i)) / BigInt(i);
  return result;
}
