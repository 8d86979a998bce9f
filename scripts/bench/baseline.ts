import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Figure, ratioOf } from "./figure.ts";

const file = join(import.meta.dirname, "baseline.json");

/** So much may a ratio differ from run to run, of what is measured on machines that share cores. */
const noise = 1.3;

/** Ratios by what was measured and what it was measured beside. */
type Baseline = Readonly<Record<string, number>>;

export function readBaseline(): Baseline {
  return JSON.parse(readFileSync(file, "utf8"));
}

/** Keeps the ratios of a run; those of what was not measured stay. */
export function keepBaseline(figures: readonly Figure[]): void {
  const fresh = figures.map((figure) => [keyOf(figure), Number(ratioOf(figure).toPrecision(3))]);
  const all = { ...readBaseline(), ...Object.fromEntries(fresh) };
  const sorted = Object.entries(all).sort(([a], [b]) => (a < b ? -1 : 1));
  writeFileSync(file, `${JSON.stringify(Object.fromEntries(sorted), undefined, 2)}\n`);
}

/** Whether a figure has been kept at all. */
export function isKept(baseline: Baseline, figure: Figure): boolean {
  return baseline[keyOf(figure)] !== undefined;
}

/** What costs more than it did, by its ratio, a sentence each. All ratios are of costs. */
export function slowerThan(baseline: Baseline, figures: readonly Figure[]): string[] {
  return figures.flatMap((figure) => {
    const before = baseline[keyOf(figure)];
    const ratio = ratioOf(figure);
    if (before === undefined || !(ratio > before * noise)) return [];
    return [
      `${keyOf(figure)}: ${ratio.toPrecision(3)} x, and ${before.toPrecision(3)} x in the baseline`,
    ];
  });
}

function keyOf({ name, beside }: Figure): string {
  return `${name}, beside ${beside.name}`;
}
