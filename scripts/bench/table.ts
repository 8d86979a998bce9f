import Table from "cli-table3";
import { type Figure, isReached, median, quartiles, ratioOf } from "./figure.ts";

/** For people: a row for each figure. */
export function tableOf(figures: readonly Figure[]): string {
  const head = ["figure", "median (quartiles)", "beside it", "ratio", "to reach"];
  const table = new Table({ head, style: { head: [], border: [] } });
  for (const figure of figures) {
    const { name, unit, samples, beside } = figure;
    const floor = `${beside.name} ${rounded(median(beside.samples))} ${unit}`;
    table.push([name, spread(samples, unit), floor, `${rounded(ratioOf(figure))} x`, goal(figure)]);
  }
  return table.toString();
}

/** The same for a document. */
export function markdownOf(figures: readonly Figure[]): string {
  const rows = figures.map((figure) => {
    const { name, unit, samples, beside } = figure;
    const floor = `${beside.name}: ${rounded(median(beside.samples))} ${unit}`;
    return [name, spread(samples, unit), floor, `${rounded(ratioOf(figure))} x`, goal(figure)];
  });
  const head = ["figure", "median (quartiles)", "beside it", "ratio", "to reach"];
  const all = [head, head.map(() => "---"), ...rows];
  return all.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

function spread(samples: readonly number[], unit: string): string {
  const [low, high] = quartiles(samples);
  const middle = `${rounded(median(samples))} ${unit}`;
  return samples.length === 1 ? middle : `${middle} (${rounded(low)} to ${rounded(high)})`;
}

function goal(figure: Figure): string {
  const reached = isReached(figure);
  if (reached === undefined) return "";
  const { ratioMax, ratioMin, max, unit } = figure;
  const words = [
    ...(ratioMax === undefined ? [] : [`at most ${ratioMax} x`]),
    ...(ratioMin === undefined ? [] : [`at least ${ratioMin} x`]),
    ...(max === undefined ? [] : [`at most ${max} ${unit}`]),
  ];
  return `${words.join(", ")}: ${reached ? "yes" : "no"}`;
}

function rounded(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
