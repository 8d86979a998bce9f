import { type Mutant, mutant } from "./mutant.ts";

/** Mistakes in what a census makes of restarts, of late reports, and of what others say. */
export const censusMutants: readonly Mutant[] = [
  mutant(
    1,
    "forget over a restart what a census has to doubt",
    "telemetry/census/census-watch.ts",
    "this.#doubted = new Set(held?.doubted);",
    "this.#doubted = new Set();",
  ),
  mutant(
    6,
    "let an unused win over a used where answers are joined",
    "telemetry/census/census-answer.ts",
    "return censusAnswers.indexOf(one) > censusAnswers.indexOf(other) ? one : other;",
    "return censusAnswers.indexOf(one) < censusAnswers.indexOf(other) ? one : other;",
  ),
  mutant(
    5,
    "take a child that has not answered for one that has nothing to say",
    "telemetry/census/census-answer.ts",
    'window === of.window ? answer : "UNKNOWN"',
    'window === of.window ? answer : "UNUSED"',
  ),
  mutant(
    389,
    "see nothing in whoever asks for flags and does not report",
    "telemetry/census/census-watch.ts",
    "this.#mark(this.#doubted, wallMs, wallMs);",
    "this.#mark(new Set<number>(), wallMs, wallMs);",
  ),
  mutant(
    1,
    "count a use for the window in which it is heard of alone",
    "telemetry/census/census-watch.ts",
    "const first = at(fromMs - graceMsOf(this.#windows) - skewMs);",
    "const first = at(toMs);",
  ),
  mutant(
    1,
    "pass over a child that came in the middle of a window",
    "telemetry/census/census-children.ts",
    "const isAfter = Number(sinceMs) > startMs + of.windowMs;",
    "const isAfter = Number(sinceMs) > startMs;",
  ),
];
