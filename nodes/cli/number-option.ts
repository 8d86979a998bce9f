import { InvalidArgumentError, Option } from "commander";
import { formatDuration, parseDuration } from "../../relay/duration.ts";

/** A whole number above 0, for commander. */
export function countOption(text: string): number {
  const count = Number(text);
  if (/^\d+$/.test(text) && count > 0 && count < 2 ** 32) return count;
  throw new InvalidArgumentError("Write a whole number above 0.");
}

/** A length of time in milliseconds, for commander. */
export function durationOption(text: string): number {
  const durationMs = parseDuration(text);
  if (typeof durationMs === "number") return durationMs;
  throw new InvalidArgumentError(`${durationMs.problem}.`);
}

/** An option of a length of time that is this long unless given. */
export function durationOr(otherwiseMs: number, flags: string, sentence: string): Option {
  return new Option(flags, sentence)
    .argParser(durationOption)
    .default(otherwiseMs, formatDuration(otherwiseMs));
}
