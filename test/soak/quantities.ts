import type { Reading } from "./gauges.ts";
import { median, type Point, type Slope, slopeOf, stretches } from "./slope.ts";

/** One of the things that must not grow. */
interface Quantity {
  readonly name: string;
  readonly unit: string;
  readonly read: (reading: Reading) => number | undefined;
  /** A slope that is surely steeper than this, in units an hour, is growth. */
  readonly flatMax: number;
}

/** When what a process holds was read. */
export interface Sample extends Reading {
  readonly hours: number;
}

/** How one quantity of one process went. */
export interface Course {
  readonly process: string;
  readonly quantity: string;
  readonly unit: string;
  readonly samplesCount: number;
  readonly median: number;
  readonly slope: Slope | undefined;
  /** Whether it grew beyond doubt; undefined where too little is known. */
  readonly isGrowing: boolean | undefined;
}

const mib = 2 ** 20;

/**
 * Below these a process runs for a month between restarts, and needs less than it does for a few
 * hundred more apps. Resident memory has pages that the allocator keeps, and is told apart.
 */
const quantities: readonly Quantity[] = [
  { name: "heap", unit: "MiB", read: ({ heapBytes }) => heapBytes / mib, flatMax: 0.5 },
  { name: "buffers", unit: "MiB", read: ({ externalBytes }) => externalBytes / mib, flatMax: 0.5 },
  { name: "resident", unit: "MiB", read: ({ residentBytes }) => residentBytes / mib, flatMax: 5 },
  { name: "descriptors", unit: "", read: ({ descriptorsCount }) => descriptorsCount, flatMax: 1 },
  { name: "timers", unit: "", read: ({ timersCount }) => timersCount, flatMax: 1 },
];

/** Enough for an interval that is worth something, few enough to differ from each other. */
const stretchesCount = 25;

/** What became of each quantity of a process over its samples. */
export function coursesOf(process: string, samples: readonly Sample[]): Course[] {
  return quantities.flatMap(({ name, unit, read, flatMax }) => {
    const points: Point[] = samples.flatMap((sample) => {
      const value = read(sample);
      return value === undefined ? [] : [{ hours: sample.hours, value }];
    });
    if (points.length === 0) return [];
    const slope = slopeOf(stretches(points, stretchesCount));
    return {
      process,
      quantity: name,
      unit,
      samplesCount: points.length,
      median: median(points.map(({ value }) => value)),
      slope,
      isGrowing: slope && slope.low > flatMax,
    };
  });
}
