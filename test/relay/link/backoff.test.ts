import { expect, test } from "vitest";
import { backoffMsMax, backoffMsMin } from "../../../relay/cadence.ts";
import { Backoff } from "../../../relay/link/backoff.ts";
import { Random } from "../../../relay/random.ts";

test("waits are drawn from the whole of a bound that doubles from 0.5 to 30 s (I13)", () => {
  const bounds = [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000];
  expect([bounds[0], bounds.at(-1)]).toEqual([backoffMsMin, backoffMsMax]);
  const random = new Random(1);
  const waits = bounds.map(() => [] as number[]);
  for (let run = 0; run < 2000; run++) {
    const backoff = new Backoff(random);
    for (const drawn of waits) drawn.push(backoff.next());
  }
  for (const [n, drawn] of waits.entries()) {
    const bound = bounds[n]!;
    expect(Math.max(...drawn)).toBeLessThan(bound);
    expect(Math.max(...drawn)).toBeGreaterThan(0.98 * bound);
    expect(Math.min(...drawn)).toBeLessThan(0.02 * bound);
    const mean = drawn.reduce((sum, one) => sum + one, 0) / drawn.length;
    expect(Math.abs(mean - bound / 2)).toBeLessThan(0.05 * bound);
  }
});

test("after very many failures it is still bounded, after a reset it is the first again", () => {
  const backoff = new Backoff(new Random(2));
  for (let n = 0; n < 5000; n++) expect(backoff.next()).toBeLessThan(backoffMsMax);
  backoff.reset();
  expect(backoff.next()).toBeLessThan(backoffMsMin);
});
