import Table from "cli-table3";
import type { Course } from "./quantities.ts";
import type { SoakOutcome } from "./soak.ts";

/** For people: a row for each quantity of each process. */
export function soakTable({ minutes, warmUpMinutes, courses, counts }: SoakOutcome): string {
  const head = ["process", "what", "median", "an hour", "95 % between", "grows"];
  const table = new Table({ head, style: { head: [], border: [] } });
  for (const course of courses) table.push(rowOf(course));
  const counted = Object.entries(counts).map(([what, count]) => `${what} ${count}`);
  const samplesCount = courses[0]?.samplesCount ?? 0;
  return [
    table.toString(),
    `${minutes} minutes, of which the first ${warmUpMinutes.toFixed(1)} were not looked at; ${samplesCount} samples`,
    `meanwhile: ${counted.join(", ")}`,
  ].join("\n");
}

function rowOf({ process, quantity, unit, median, slope, isGrowing }: Course): string[] {
  const of = (value: number): string => `${value.toFixed(unit === "" ? 1 : 2)} ${unit}`.trim();
  const signed = (value: number): string => `${value > 0 ? "+" : ""}${of(value)}`;
  if (slope === undefined) return [process, quantity, of(median), "", "too few samples", ""];
  const between = `${signed(slope.low)} to ${signed(slope.high)}`;
  return [process, quantity, of(median), signed(slope.perHour), between, isGrowing ? "YES" : "no"];
}
