/** What one thing costs, measured in one run beside a floor or a peer. */
export interface Figure {
  readonly name: string;
  readonly unit: string;
  /** One for each round. */
  readonly samples: readonly number[];
  /** The least that it could cost, or a peer, measured in the same run. */
  readonly beside: { readonly name: string; readonly samples: readonly number[] };
  /** Of the medians: this ratio to what stands beside it is to be reached. */
  readonly ratioMax?: number;
  readonly ratioMin?: number;
  /** Of the median itself, where a bound is to be kept whatever stands beside it. */
  readonly max?: number;
}

/** Measures something; tells of its progress a line at a time. */
export type Bench = (tell: (line: string) => void) => Promise<readonly Figure[]>;

export function median(samples: readonly number[]): number {
  const sorted = [...samples].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
}

/** From the lower to the upper quartile. */
export function quartiles(samples: readonly number[]): readonly [number, number] {
  const sorted = [...samples].sort((a, b) => a - b);
  const at = (share: number): number =>
    sorted[Math.round(share * (sorted.length - 1))] ?? Number.NaN;
  return [at(0.25), at(0.75)];
}

/** How many times as much as what stands beside it. */
export function ratioOf({ samples, beside }: Figure): number {
  return median(samples) / median(beside.samples);
}

/** Whether it is what it is to be; undefined where nothing is asked of it. */
export function isReached(figure: Figure): boolean | undefined {
  const { ratioMax, ratioMin, max, samples } = figure;
  const ratio = ratioOf(figure);
  const asked = [
    ...(ratioMax === undefined ? [] : [ratio <= ratioMax]),
    ...(ratioMin === undefined ? [] : [ratio >= ratioMin]),
    ...(max === undefined ? [] : [median(samples) <= max]),
  ];
  return asked.length === 0 ? undefined : asked.every(Boolean);
}
