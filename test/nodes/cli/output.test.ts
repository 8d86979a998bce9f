import { expect, test } from "vitest";
import { formatTable } from "../../../nodes/cli/output.ts";
import { growth } from "../../relay/growth.ts";

const terminal = { paint: (_: string, text: string): string => text };

function tableOf(count: number): string {
  const rows = Array.from({ length: count }, (_, at) => [`flag-${at}`, "5 %", "see #1"]);
  return formatTable({ head: ["flag", "percent", "note"], rows, terminal });
}

test("a table of many rows has one head, and columns as wide as the widest of all", () => {
  const rows = Array.from({ length: 200 }, (_, at) => ["x".repeat(1 + at), "y"]);
  const lines = formatTable({ head: ["name", "value"], rows, terminal }).split("\n");
  expect(lines).toHaveLength(201);
  expect(lines[0]).toBe(`NAME${" ".repeat(198)}VALUE`);
  expect(lines.slice(1)).toEqual(rows.map(([name = ""]) => `${name.padEnd(202)}y`));
});

test("a table of as many flags as a project has is no square of work", () => {
  const times = growth({ few: 100, many: 5_000 }, (count) => () => tableOf(count));
  expect(times).toBeLessThan(250);
}, 90_000);
