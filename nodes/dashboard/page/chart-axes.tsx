import type { JSX } from "preact";
import { type Frame, scalesOf } from "./chart-frame.ts";

const shareTicks = [0, 2_500, 5_000, 7_500, 10_000];
const pixelsPerTick = 140;

/** Lines for quarters, and moments along the bottom. */
export function ChartAxes(of: {
  frame: Frame;
  range: { fromMs: number; toMs: number };
}): JSX.Element {
  const { frame, range } = of;
  const { x, y } = scalesOf(frame, range);
  const spanMs = range.toMs - range.fromMs;
  const ticksCount = Math.max(1, Math.min(6, Math.floor(frame.width / pixelsPerTick)));
  const moments =
    spanMs === 0
      ? [range.fromMs]
      : Array.from(
          { length: ticksCount + 1 },
          (_, at) => range.fromMs + (spanMs * at) / ticksCount,
        );
  return (
    <g class="axes" aria-hidden="true">
      {shareTicks.map((share) => (
        <g key={share}>
          <line x1={frame.left} x2={frame.width - 8} y1={y(share)} y2={y(share)} />
          <text x={frame.left - 8} y={y(share) + 4} text-anchor="end">
            {share / 100} %
          </text>
        </g>
      ))}
      {moments.map((atMs, at) => (
        <text
          key={atMs}
          x={x(atMs)}
          y={frame.height - 4}
          text-anchor={at === 0 ? "start" : at === moments.length - 1 ? "end" : "middle"}
        >
          {momentText(atMs, spanMs)}
        </text>
      ))}
    </g>
  );
}

const dayMs = 86_400_000;

function momentText(atMs: number, spanMs: number): string {
  const date = new Date(atMs);
  if (spanMs > 2 * dayMs) return date.toLocaleDateString([], { month: "short", day: "numeric" });
  const seconds = spanMs < 600_000 ? { second: "2-digit" as const } : {};
  return date.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", ...seconds });
}
