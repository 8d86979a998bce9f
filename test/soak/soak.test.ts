import { spawn } from "node:child_process";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { eventually } from "../../scripts/demo/eventually.ts";
import { Gauges } from "./gauges.ts";
import { coursesOf, type Sample } from "./quantities.ts";
import { type Point, slopeOf, stretches } from "./slope.ts";

const hourMs = 3_600_000;

test("what a process loses on purpose is told as growth of that", async () => {
  using gauges = new Gauges();
  const env = gauges.env({ heapBytes: 2 ** 20, timersCount: 100, descriptorsCount: 100 });
  const idle = ["--eval", "setInterval(() => {}, 1_000_000)"];
  using child = spawn(process.execPath, idle, { env, stdio: "ignore" });
  const samples: Sample[] = [];
  const startedMs = performance.now();
  await eventually(
    "there are samples",
    async () => {
      const hours = (performance.now() - startedMs) / hourMs;
      samples.push({ hours, ...(await gauges.read(child.pid ?? 0)) });
      // Some of it has to be lost between two of them.
      await sleep(100);
      return samples.length === 10;
    },
    120_000,
  );
  const growing = coursesOf("leaky", samples).filter(({ isGrowing }) => isGrowing);
  expect(growing.map(({ quantity }) => quantity)).toEqual(
    expect.arrayContaining(["heap", "descriptors", "timers"]),
  );
});

test("what only goes up and down does not grow", () => {
  const readingAt = (n: number): Sample => ({
    hours: n / 200,
    heapBytes: (30 + Math.sin(n * 1.7)) * 2 ** 20,
    externalBytes: 4 * 2 ** 20,
    residentBytes: 100 * 2 ** 20,
    descriptorsCount: 30 + ((n * 7) % 5),
    timersCount: 20 + ((n * 5) % 3),
  });
  const courses = coursesOf(
    "steady",
    Array.from({ length: 200 }, (_, n) => readingAt(n)),
  );
  expect(courses.map(({ quantity, isGrowing }) => [quantity, isGrowing])).toEqual(
    ["heap", "buffers", "resident", "descriptors", "timers"].map((name) => [name, false]),
  );
});

test("of too few samples nothing is told", () => {
  const [course] = coursesOf("young", [
    {
      hours: 0,
      heapBytes: 1,
      externalBytes: 1,
      residentBytes: 1,
      descriptorsCount: undefined,
      timersCount: 1,
    },
  ]);
  expect(course).toMatchObject({ slope: undefined, isGrowing: undefined });
});

test("the slope and its interval are those of a straight line, whatever a few odd values are", () => {
  const line = Array.from({ length: 30 }, (_, n): Point => ({ hours: n / 30, value: 5 + n / 10 }));
  const odd = line.map((point, n) => (n === 7 || n === 20 ? { ...point, value: 90 } : point));
  const { perHour = 0, low = 0, high = 0 } = slopeOf(odd) ?? {};
  expect(perHour).toBeCloseTo(3, 6);
  expect(low).toBeLessThanOrEqual(3);
  expect(high).toBeGreaterThanOrEqual(3);
  expect(high - low).toBeLessThan(2);
});

test("a stretch is told by its median, and none is left out", () => {
  const points = [1, 9, 2, 4, 5, 6].map((value, hours): Point => ({ hours, value }));
  expect(stretches(points, 2)).toEqual([
    { hours: 1, value: 2 },
    { hours: 4, value: 5 },
  ]);
  expect(stretches(points, 25)).toHaveLength(6);
});
