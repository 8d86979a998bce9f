import { getEventListeners } from "node:events";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Deadline } from "../../sdk/deadline.ts";
import { wakeMsMax } from "../../sdk/limits.ts";
import { atMost, pause } from "../../sdk/timer.ts";

const { signal } = new AbortController();

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

test("a pause ends in time or with its signal, and leaves nothing on it", async () => {
  const paused = pause(1_000, signal);
  await vi.advanceTimersByTimeAsync(1_000);
  await paused;
  expect(getEventListeners(signal, "abort")).toEqual([]);

  const controller = new AbortController();
  const ended = pause(1_000, controller.signal);
  controller.abort();
  await ended;
  await pause(1_000, controller.signal);
  expect(vi.getTimerCount()).toBe(0);
});

test("a deadline is counted from when it was last set, and leaves nothing behind", async () => {
  const deadline = new Deadline(signal);
  deadline.set(1_000);
  await vi.advanceTimersByTimeAsync(999);
  deadline.set(1_000);
  await vi.advanceTimersByTimeAsync(999);
  expect(deadline.signal.aborted).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  expect(deadline.signal.reason).toEqual(new Error("no answer for 1 s"));
  deadline.set(1_000);
  deadline.close();
  expect(vi.getTimerCount()).toBe(0);
  expect(getEventListeners(signal, "abort")).toEqual([]);
});

test("a deadline ends soon after a sleep that was longer, though timers stood still meanwhile", async () => {
  const deadline = new Deadline(signal);
  deadline.set(45_000);
  await vi.advanceTimersByTimeAsync(10_000);
  vi.setSystemTime(Date.now() + 34_000);
  await vi.advanceTimersByTimeAsync(500);
  expect(deadline.signal.aborted).toBe(false);
  vi.setSystemTime(Date.now() + 3_600_000);
  await vi.advanceTimersByTimeAsync(wakeMsMax);
  expect(deadline.signal.reason).toEqual(new Error("no answer for 45 s"));
  expect(vi.getTimerCount()).toBe(0);
});

test("a deadline is kept by its own count when the clock is set back", async () => {
  const deadline = new Deadline(signal);
  deadline.set(45_000);
  await vi.advanceTimersByTimeAsync(10_000);
  vi.setSystemTime(Date.now() - 3_600_000);
  await vi.advanceTimersByTimeAsync(34_999);
  expect(deadline.signal.aborted).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  expect(deadline.signal.aborted).toBe(true);
});

test("a deadline follows a signal, early or late", () => {
  const controller = new AbortController();
  const before = new Deadline(controller.signal);
  controller.abort("over");
  const after = new Deadline(controller.signal);
  expect([before.signal.reason, after.signal.reason]).toEqual(["over", "over"]);
});

test.each([
  ["ends", () => Promise.resolve()],
  ["fails", () => Promise.reject(new Error("work"))],
])("work that %s is not waited for any longer", async (_, work) => {
  await atMost(1_000, work());
  expect(vi.getTimerCount()).toBe(0);
});

test("work that does neither is waited for in vain", async () => {
  const waited = atMost(1_000, new Promise(() => {}));
  await vi.advanceTimersByTimeAsync(1_000);
  await waited;
  expect(vi.getTimerCount()).toBe(0);
});
