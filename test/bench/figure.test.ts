import { expect, test } from "vitest";
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
