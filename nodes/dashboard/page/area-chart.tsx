import type { JSX } from "preact";
import { ChartAxes } from "./chart-axes.tsx";
import { scalesOf, useFrame } from "./chart-frame.ts";
import { percentText } from "./words.ts";

/** The shares of one moment, by name, in basis points. */
export interface SharePoint {
  readonly atMs: number;
  readonly shares: ReadonlyMap<string, number>;
}

/** Colours that are told apart; names past them share the last. */
const colorsCount = 7;

/** Shares over time, one upon the other, and the newest in numbers. */
export function AreaChart(of: { title: string; points: readonly SharePoint[] }): JSX.Element {
  const { ref, frame } = useFrame(220);
  const names = [...new Set(of.points.flatMap(({ shares }) => [...shares.keys()]))].filter((name) =>
    of.points.some(({ shares }) => (shares.get(name) ?? 0) > 0),
  );
  const newest = of.points.at(-1);
  const points = of.points.map(stacked(names));
  const first = of.points[0]?.atMs ?? 0;
  const range = { fromMs: first, toMs: newest?.atMs ?? first };
  const { x, y } = scalesOf(frame, range);
  // One moment is no time: it is drawn as a band over all of it.
  const drawn = points.length === 1 ? [points[0], points[0]] : points;
  const xs = drawn.map((point, at) =>
    points.length === 1 ? [frame.left, frame.width - 8][at] : x(point?.atMs ?? 0),
  );
  const areaOf = (index: number): string => {
    const tops = drawn.map((point, at) => `${xs[at]},${y(point?.tops[index] ?? 0)}`);
    const floors = drawn.map((point, at) => `${xs[at]},${y(point?.tops[index - 1] ?? 0)}`);
    return `M${[...tops, ...floors.toReversed()].join("L")}Z`;
  };
  const summary = names
    .map((name) => `${name} ${percentText(newest?.shares.get(name) ?? 0)}`)
    .join(", ");
  return (
    <figure class="chart" ref={ref}>
      <svg
        width={frame.width}
        height={frame.height}
        role="img"
        aria-label={`${of.title}; now ${summary || "nothing"}`}
      >
        {names.map((name, index) => (
          <path key={name} class={`series s${Math.min(index, colorsCount - 1)}`} d={areaOf(index)}>
            <title>{name}</title>
          </path>
        ))}
        <ChartAxes frame={frame} range={range} />
      </svg>
      <figcaption>
        <ul class="legend">
          {names.toReversed().map((name) => (
            <li key={name}>
              <span class={`swatch s${Math.min(names.indexOf(name), colorsCount - 1)}`} />
              {name} <span class="number">{percentText(newest?.shares.get(name) ?? 0)}</span>
            </li>
          ))}
        </ul>
      </figcaption>
    </figure>
  );
}

/** Rounded shares may sum to more than all: what is drawn is their part of the sum. */
function stacked(
  names: readonly string[],
): (point: SharePoint) => { atMs: number; tops: readonly number[] } {
  return ({ atMs, shares }) => {
    const values = names.map((name) => shares.get(name) ?? 0);
    const sum = Math.max(
      10_000,
      values.reduce((total, value) => total + value, 0),
    );
    let top = 0;
    return { atMs, tops: values.map((value) => (top += (value / sum) * 10_000)) };
  };
}
