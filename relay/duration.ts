import { quoted } from "./quoted.ts";
/** Why a text is no duration, as a sentence that says what to write instead. */
export interface DurationProblem {
  readonly problem: string;
}

/** Reads `24h`, `30s`, `500ms`, `30d`, `1h30m` into milliseconds, more than 0. */
export function parseDuration(text: string): number | DurationProblem {
  const match = DURATION_PATTERN.exec(text.trim());
  const parts = (match?.slice(1) ?? []).map((digits) => Number(digits ?? 0));
  const sum = parts.reduce((total, count, at) => total + count * (UNITS_MS[at] ?? 0), 0);
  if (sum > 0 && Number.isSafeInteger(sum)) return sum;
  const mend = /^\d+$/.test(text.trim())
    ? `its unit too, such as ${text.trim()}s`
    : "a number and d, h, m, s or ms, such as 24h, 30s or 500ms";
  return { problem: `${quoted(text)} is no duration: write ${mend}` };
}

/** The two largest units of a duration, as people read it: `1d 2h`, `30s`, `0s`. */
export function formatDuration(durationMs: number): string {
  if (durationMs > 0 && durationMs < 1000) return `${Math.round(durationMs)}ms`;
  let restMs = Math.floor(durationMs / 1000) * 1000;
  const words: string[] = [];
  for (const [at, name] of ["d", "h", "m", "s"].entries()) {
    const unitMs = UNITS_MS[at] ?? 1;
    const count = Math.floor(restMs / unitMs);
    restMs -= count * unitMs;
    if (count > 0) words.push(`${count}${name}`);
  }
  return words.slice(0, 2).join(" ") || "0s";
}

const DURATION_PATTERN = /^(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$/;

/** Days, hours, minutes, seconds, milliseconds: in the order of the pattern's groups. */
const UNITS_MS = [86_400_000, 3_600_000, 60_000, 1_000, 1];
