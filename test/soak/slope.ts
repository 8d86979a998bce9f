/** A value at a time. */
export interface Point {
  readonly hours: number;
  readonly value: number;
}

/** How much a value grows in an hour, and between what, in 95 of 100 runs. */
export interface Slope {
  readonly perHour: number;
  readonly low: number;
  readonly high: number;
}

/** Of the standard normal distribution, on both sides: 95 % lie between. */
const z = 1.959964;

/** The fewest points of which a slope is told. */
const pointsCountMin = 8;

/**
 * The median of the slopes between all pairs, which a few odd values do not move, and its interval
 * from the variance of Kendall's S, with ties. Sen, Estimates of the regression coefficient based on
 * Kendall's tau, JASA 63 (1968); as in Gilbert, Statistical Methods for Environmental Pollution
 * Monitoring (1987), section 16.5. Undefined for fewer than `pointsCountMin` points.
 */
export function slopeOf(points: readonly Point[]): Slope | undefined {
  if (points.length < pointsCountMin) return undefined;
  const slopes = points
    .flatMap((one, at) => points.slice(at + 1).map((other) => between(one, other)))
    .toSorted((a, b) => a - b);
  const off = z * Math.sqrt(varianceOf(points.map(({ value }) => value)));
  const at = (place: number): number =>
    slopes[Math.min(slopes.length - 1, Math.max(0, place))] ?? Number.NaN;
  const low = at(Math.floor((slopes.length - off) / 2) - 1);
  const high = at(Math.ceil((slopes.length + off) / 2));
  return { perHour: median(slopes), low, high };
}

/**
 * The median of each of so many stretches of equal length. Neighbouring samples resemble each other,
 * which would make an interval too narrow; medians of minutes do so less.
 */
export function stretches(points: readonly Point[], count: number): Point[] {
  const size = points.length / Math.min(count, points.length);
  return Array.from({ length: Math.min(count, points.length) }, (_, n) => {
    const some = points.slice(Math.round(n * size), Math.round((n + 1) * size));
    return {
      hours: median(some.map(({ hours }) => hours)),
      value: median(some.map(({ value }) => value)),
    };
  });
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
}

function between(one: Point, other: Point): number {
  return (other.value - one.value) / (other.hours - one.hours);
}

/** Of Kendall's S where nothing grows; equal values, such as counts, make it smaller. */
function varianceOf(values: readonly number[]): number {
  const counts = Map.groupBy(values, (value) => value).values();
  const term = (n: number): number => n * (n - 1) * (2 * n + 5);
  const ties = [...counts].reduce((sum, { length }) => sum + term(length), 0);
  return (term(values.length) - ties) / 18;
}
