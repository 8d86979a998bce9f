import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { frameSilenceMsMax, searchMsMax, searchMsMin } from "../../sdk/limits.ts";
import { FakeNode, watch } from "./fake-node.ts";
import { positionOf } from "./small-node.ts";

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

describe("while the node is STALE", () => {
  const held = { position: positionOf("one"), progress: 7n };

  function three(): [FakeNode, FakeNode, FakeNode] {
    return [new FakeNode("a"), new FakeNode("b"), new FakeNode("c")];
  }

  test("others are looked at one at a time, ever more seldom, and it is kept", async () => {
    const [stale, silent, down] = three();
    down.isDown = true;
    const { resumed } = watch([stale, silent, down], { held: () => held });
    const hourMs = 3_600_000;
    for (let ms = 0; ms < hourMs; ms += 1_000) {
      if (ms % 15_000 === 0) await stale.beat("one", "STALE");
      await vi.advanceTimersByTimeAsync(1_000);
      expect(silent.openCount).toBeLessThanOrEqual(1);
    }
    expect([stale.requests.length, stale.openCount]).toEqual([1, 1]);
    expect(silent.requests.length).toBeGreaterThan(20);
    // With jitter at its highest; on average it is twice as many.
    const looksMax = hourMs / searchMsMax + Math.log2(searchMsMax / searchMsMin) + 1;
    expect(silent.requests.length + down.requests.length).toBeLessThan(looksMax);
    expect(resumed).not.toHaveBeenCalled();
  });

  test("one that is STALE as well is not gone on with, and closed", async () => {
    const [first, second, third] = three();
    watch([first, second, third], { held: () => held });
    await first.beat("one", "STALE");
    await vi.advanceTimersByTimeAsync(searchMsMin);
    await second.beat("one", "STALE");
    expect([first, second].map(({ openCount }) => openCount)).toEqual([1, 0]);
    await vi.advanceTimersByTimeAsync(2 * searchMsMin);
    await third.beat("one");
    expect([first, second, third].map(({ openCount }) => openCount)).toEqual([0, 0, 1]);
    await vi.advanceTimersByTimeAsync(frameSilenceMsMax - 1);
    expect([first, second, third].map(({ requests }) => requests.length)).toEqual([1, 1, 1]);
  });

  test("the search ends when it is FRESH again", async () => {
    const [first, second, third] = three();
    watch([first, second, third], { held: () => held });
    await first.beat("one", "STALE");
    await vi.advanceTimersByTimeAsync(searchMsMin);
    expect(second.openCount).toBe(1);
    await first.beat();
    expect(second.openCount).toBe(0);
    await second.beat();
    for (let ms = 0; ms < 20 * searchMsMax; ms += 15_000) {
      await first.beat();
      await vi.advanceTimersByTimeAsync(15_000);
    }
    expect([first, second, third].map(({ requests }) => requests.length)).toEqual([1, 1, 0]);
  });

  test("what was asked from flags that have moved on meanwhile is not gone on with", async () => {
    const [first, second, third] = three();
    let now = held;
    watch([first, second, third], { held: () => now });
    await first.beat("one", "STALE");
    await vi.advanceTimersByTimeAsync(searchMsMin);
    now = { position: positionOf("two"), progress: 8n };
    await first.beat("two", "STALE");
    await second.beat("one");
    expect([first, second, third].map(({ openCount }) => openCount)).toEqual([1, 0, 0]);
  });

  test("the end leaves no timer, and no stream", async () => {
    const [first, second, third] = three();
    const { stop } = watch([first, second, third], { held: () => held });
    await first.beat("one", "STALE");
    await vi.advanceTimersByTimeAsync(searchMsMin);
    await stop();
    await second.beat();
    expect([first, second, third].map(({ openCount }) => openCount)).toEqual([0, 0, 0]);
    expect(vi.getTimerCount()).toBe(0);
  });
});
