import type { JSX } from "preact";
import { ChartAxes } from "./chart-axes.tsx";
import { scalesOf, useFrame } from "./chart-frame.ts";

/** What a flag was set to from a moment on; killed, it is off whatever that was. */
export interface RampStep {
  readonly atMs: number;
  readonly basisPoints: number;
  readonly isKilled: boolean;
}

/** A flag's percentage over time, as steps; where it was killed the line is on the ground. */
export function RampChart(of: { steps: readonly RampStep[]; nowMs: number }): JSX.Element {
  const { ref, frame } = useFrame(160);
  const fromMs = of.steps[0]?.atMs ?? of.nowMs;
  const range = { fromMs, toMs: Math.max(of.nowMs, fromMs + 1_000) };
  const { x, y } = scalesOf(frame, range);
  const heightOf = ({ basisPoints, isKilled }: RampStep): number => y(isKilled ? 0 : basisPoints);
  let path = "";
  for (const step of of.steps)
    path +=
      path === "" ? `M${x(step.atMs)},${heightOf(step)}` : `H${x(step.atMs)}V${heightOf(step)}`;
  const summary = of.steps
    .map(({ basisPoints, isKilled }) => (isKilled ? "killed" : `${basisPoints / 100} %`))
    .join(", then ");
  return (
    <figure class="chart" ref={ref}>
      <svg
        width={frame.width}
        height={frame.height}
        role="img"
        aria-label={`Percentage over time: ${summary}`}
      >
        <ChartAxes frame={frame} range={range} />
        <path class="ramp-area" d={`${path}H${x(range.toMs)}V${y(0)}H${x(fromMs)}Z`} />
        <path class="ramp" d={`${path}H${x(range.toMs)}`} />
        {of.steps
          .filter(({ isKilled }) => isKilled)
          .map((step) => (
            <circle key={step.atMs} class="kill" cx={x(step.atMs)} cy={y(0)} r="5">
              <title>killed</title>
            </circle>
          ))}
      </svg>
    </figure>
  );
}
