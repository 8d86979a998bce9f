import { expect, test } from "vitest";
import { Backoff } from "../../sdk/backoff.ts";

test("waits anywhere under a bound that doubles from 0.5 to 30 s", () => {
  const highest = new Backoff(() => 1);
  const waits = Array.from({ length: 9 }, () => highest.nextMs());
  expect(waits).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
  expect(new Backoff(() => 0).nextMs()).toBe(0);
  highest.reset();
  expect(highest.nextMs()).toBe(500);
});
