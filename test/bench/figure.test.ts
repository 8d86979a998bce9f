import { expect, test } from "vitest";
import { keptOf, slowerThan } from "../../scripts/bench/baseline.ts";
import { type Figure, isReached, median, quartiles, ratioOf } from "../../scripts/bench/figure.ts";

const figure: Figure = {
  name: "a delivery",
  unit: "us",
  samples: [9, 3, 6, 100],
  beside: { name: "raw TCP", samples: [5] },
};

test("the median of some, and of none", () => {
  expect([median([3, 1, 2]), median([4, 1, 2, 3]), median([])]).toEqual([2, 2.5, Number.NaN]);
});

test("quartiles leave out what is far off", () => {
  expect(quartiles([1, 2, 3, 4, 1_000])).toEqual([2, 4]);
});

test("a figure is reached by its ratio, or nothing is asked of it", () => {
  expect(ratioOf(figure)).toBe(1.5);
  expect(isReached(figure)).toBeUndefined();
  expect(isReached({ ...figure, ratioMax: 1.5 })).toBe(true);
  expect(isReached({ ...figure, ratioMax: 1.4 })).toBe(false);
  expect(isReached({ ...figure, ratioMin: 1.6 })).toBe(false);
  expect(isReached({ ...figure, max: 7.5 })).toBe(true);
  expect(isReached({ ...figure, ratioMax: 1.5, max: 7 })).toBe(false);
});

test("what costs more than in the baseline is named, by its ratio; noise and what is new are not", () => {
  const key = "a delivery, beside raw TCP";
  expect(slowerThan({ [key]: { ratio: 1.1, margin: 1.3 } }, [figure])).toEqual([
    `${key}: 1.50 x, and 1.10 x in the baseline, where 1.3 times that is noise`,
  ]);
  expect(slowerThan({ [key]: { ratio: 1.3, margin: 1.3 } }, [figure])).toEqual([]);
  expect(slowerThan({ [key]: { ratio: 1.1, margin: 2 } }, [figure])).toEqual([]);
  expect(slowerThan({}, [figure])).toEqual([]);
  const low = { [key]: { ratio: 0.1, margin: 1.3 } };
  expect(slowerThan(low, [{ ...figure, max: 31 }])).toEqual([]);
  expect(slowerThan(low, [{ ...figure, max: 29 }])).toHaveLength(1);
});

test("what swings is kept with a margin of its own, and a ratio to nothing is not kept", () => {
  const keptAs = (samples: number[], beside: number[]): unknown =>
    Object.values(keptOf([{ ...figure, samples, beside: { name: "", samples: beside } }]))[0];
  expect(keptAs([10, 10, 10], [5, 5, 5])).toEqual({ ratio: 2, margin: 1.3 });
  // Three quarters are at most 15, and of the floor three quarters at least 4.
  expect(keptAs([9, 10, 10, 15, 15], [4, 4, 5, 5, 6])).toEqual({ ratio: 2, margin: 1.88 });
  expect(keptAs([9, 10, 10, 50, 60], [1, 1, 4, 5, 6])).toMatchObject({ margin: 3 });
  expect(keptAs([10, 10, 10], [-2, -1, 1, 2, 3])).toMatchObject({ margin: 3 });
  expect(keptAs([10], [0])).toBeUndefined();
});
