import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Figure, median, quartiles, ratioOf } from "./figure.ts";

const file = join(import.meta.dirname, "baseline.json");

/** So much may a ratio differ from run to run, of what is measured on machines that share cores. */
const noise = 1.3;

/** What swings more than this tells nothing of a change, and is to be measured otherwise. */
const marginMax = 3;

/** What was kept of one figure. */
interface Kept {
  readonly ratio: number;
  /** So many times the ratio may be seen without being slower: of a figure that swings, more. */
  readonly margin: number;
}

/** By what was measured and what it was measured beside. */
type Baseline = Readonly<Record<string, Kept>>;

export function readBaseline(): Baseline {
  return JSON.parse(readFileSync(file, "utf8"));
}

/** Keeps the ratios of a run; those of what was not measured stay. */
export function keepBaseline(figures: readonly Figure[]): void {
  const all = { ...readBaseline(), ...keptOf(figures) };
  const sorted = Object.entries(all).sort(([a], [b]) => (a < b ? -1 : 1));
  writeFileSync(file, `${JSON.stringify(Object.fromEntries(sorted), undefined, 2)}\n`);
}

/** What there is to keep of a run; a ratio to nothing is none. */
export function keptOf(figures: readonly Figure[]): Baseline {
  const kept = figures
    .filter((figure) => Number.isFinite(ratioOf(figure)))
    .map((figure) => {
      const ratio = Number(ratioOf(figure).toPrecision(3));
      return [keyOf(figure), { ratio, margin: Number(marginOf(figure).toPrecision(3)) }];
    });
  return Object.fromEntries(kept);
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
    if (before === undefined || isNearNothing(figure)) return [];
    if (!(ratio > before.ratio * before.margin)) return [];
    const now = `${ratio.toPrecision(3)} x, and ${before.ratio.toPrecision(3)} x in the baseline`;
    return [`${keyOf(figure)}: ${now}, where ${before.margin} times that is noise`];
  });
}

/** So far below a bound of its own a figure may be many times what it was, and say nothing. */
function isNearNothing({ samples, max }: Figure): boolean {
  return max !== undefined && median(samples) < max / 4;
}

/** The ratio when both sides are as far off as a quarter of their rounds were, to the usual one. */
function marginOf({ samples, beside }: Figure): number {
  const [, high] = quartiles(samples);
  const [low] = quartiles(beside.samples);
  const swing = (high / median(samples)) * (median(beside.samples) / low);
  return low > 0 && swing > 0 ? Math.min(marginMax, Math.max(noise, swing)) : marginMax;
}

function keyOf({ name, beside }: Figure): string {
  return `${name}, beside ${beside.name}`;
}
