import { quoted } from "../quoted.ts";
import { BASIS_POINTS_MAX } from "./bucket.ts";

/** Why a text is no percentage, as a sentence that says what to write instead. */
export interface PercentProblem {
  readonly problem: string;
}

/**
 * Reads a percentage as people write it (`5`, `5%`, `0.25 %`) into basis points from 0 to 10000.
 * Steps are 0.01 %, because finer ones could not be told apart by the bucketing rule.
 */
export function parsePercent(text: string): number | PercentProblem {
  const match = PERCENT_PATTERN.exec(text.trim());
  if (match === null) return { problem: notPercent(text) };
  const [, whole = "", fraction = ""] = match;
  const basisPoints = Number(whole) * 100 + Number(fraction.slice(0, 2).padEnd(2, "0"));
  const isFiner = /[1-9]/.test(fraction.slice(2));
  if (basisPoints > BASIS_POINTS_MAX || (isFiner && basisPoints === BASIS_POINTS_MAX)) {
    return { problem: `${shown(text)} is more than everybody: write 0 to 100` };
  }
  return isFiner ? { problem: tooFine(text, basisPoints) } : basisPoints;
}

/** Basis points as people read them: 500 is `5 %`, 25 is `0.25 %`. */
export function formatPercent(basisPoints: number): string {
  return `${basisPoints / 100} %`;
}

const PERCENT_PATTERN = /^(\d+)(?:\.(\d+))?\s*%?$/;

function tooFine(text: string, basisPoints: number): string {
  const nearest = [basisPoints, basisPoints + 1].map(formatPercent).join(" or ");
  return `${shown(text)} is finer than steps of 0.01 %: write ${nearest}`;
}

function notPercent(text: string): string {
  const trimmed = text.trim();
  if (/^-[\d.]/.test(trimmed)) return `${shown(text)} is less than nobody: write 0 to 100`;
  const commaless = trimmed.replace(",", ".");
  const mend = PERCENT_PATTERN.test(commaless) ? commaless : "a number from 0 to 100, such as 0.25";
  return `${shown(text)} is no percentage: write ${mend}`;
}

/** Quotes and shortens, so that a problem stays one line whatever was passed. */
function shown(text: string): string {
  return quoted(text, 20);
}
