import { expect, test } from "vitest";
import { ratedAddressesMax } from "../../relay/limits.ts";
import { RateLimit } from "../../relay/rate-limit.ts";

test("gives a burst, then so many a second, to each key its own", () => {
  const rate = new RateLimit({ burst: 2, perSecond: 4 });
  expect([rate.take("a", 0), rate.take("a", 0), rate.take("a", 0)]).toEqual([true, true, false]);
  expect(rate.take("b", 0)).toBe(true);
  expect(rate.take("a", 249)).toBe(false);
  expect(rate.take("a", 250)).toBe(true);
  expect(rate.take("a", 250)).toBe(false);
});

test("never gives more than the burst, however long nobody asked", () => {
  const rate = new RateLimit({ burst: 2, perSecond: 1 });
  rate.take("a", 0);
  const answers = [1, 2, 3].map(() => rate.take("a", 1_000_000));
  expect(answers).toEqual([true, true, false]);
});

test("looks without taking", () => {
  const rate = new RateLimit({ burst: 1, perSecond: 1 });
  expect([rate.allows("a", 0), rate.allows("a", 0)]).toEqual([true, true]);
  rate.take("a", 0);
  expect(rate.allows("a", 0)).toBe(false);
  expect(rate.allows("a", 1_000)).toBe(true);
});

test("remembers a bounded number of keys, the latest ones", () => {
  const rate = new RateLimit({ burst: 1, perSecond: 1, keysMax: 2 });
  for (const key of ["a", "b", "a", "c"]) rate.take(key, 0);
  expect(rate.allows("b", 0)).toBe(true);
  expect([rate.allows("a", 0), rate.allows("c", 0)]).toEqual([false, false]);
});

test("as many keys as there may be addresses, unless it is told otherwise", () => {
  const rate = new RateLimit({ burst: 1, perSecond: 1 });
  for (let n = 0; n < ratedAddressesMax; n++) rate.take(`${n}`, 0);
  expect(rate.allows("0", 0)).toBe(false);
  rate.take("one more", 0);
  expect([rate.allows("0", 0), rate.allows("1", 0)]).toEqual([true, false]);
});
