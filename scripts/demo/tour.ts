import process from "node:process";
import { styleText } from "node:util";

const isColoured = process.stdout.isTTY === true;

/** What the tour says, as it happens. */
export const say = {
  title(text: string): void {
    process.stdout.write(`\n${isColoured ? styleText("bold", text) : text}\n`);
  },
  line(text: string): void {
    process.stdout.write(`  ${text}\n`);
  },
  /** Output of a command, indented. */
  block(text: string): void {
    for (const line of text.trimEnd().split("\n")) process.stdout.write(`    ${line}\n`);
  },
  /** Progress of something long: overwritten on a terminal, said now and then elsewhere. */
  progress(done: number, of: number, what: string): void {
    if (isColoured) process.stdout.write(`\r  ${done} of ${of} ${what}${done === of ? "\n" : ""}`);
    else if (done === of || done % 20 === 0) this.line(`${done} of ${of} ${what}`);
  },
} as const;

/** Something that the tour claims and that did not happen. */
export class TourFailure extends Error {}

export function claim(isSo: boolean, otherwise: string): void {
  if (!isSo) throw new TourFailure(otherwise);
}

/** Milliseconds, for people. */
export function msText(ms: number): string {
  return ms < 10 ? `${ms.toFixed(1)} ms` : `${Math.round(ms)} ms`;
}
