import { describe, expect, test } from "vitest";
import { FlagTable, type ReceivedFlag } from "../../sdk/flag-table.ts";
import { tableFlagsMax } from "../../sdk/limits.ts";

const one = new Uint8Array([1]);
const two = new Uint8Array([2]);

function flag(name: string, basisPoints: number | undefined, reason = "ROLLOUT"): ReceivedFlag {
  return { name, basisPoints, hash: 2, reason };
}

describe("a table", () => {
  test("without anything falls back", () => {
    const table = new FlagTable();
    expect(table.isEmpty).toBe(true);
    expect(table.decide("a", "i", true)).toEqual({ enabled: true, reason: "EMPTY" });
    table.replace({ flags: [], position: one });
    expect(table.isEmpty).toBe(false);
    expect(table.decide("a", "i", true)).toEqual({ enabled: true, reason: "UNKNOWN_FLAG" });
  });

  test("takes up what fits its position, and nothing else", () => {
    const table = new FlagTable();
    const change = { flags: [flag("b", 10_000)], removed: ["a"], position: two };
    expect(table.change({ ...change, previous: new Uint8Array() })).toBeUndefined();
    table.replace({ flags: [flag("a", 10_000)], position: one });
    const { revision } = table;
    expect(table.change({ ...change, previous: two })).toBeUndefined();
    expect([table.revision, table.decide("a", "i", false).enabled]).toEqual([revision, true]);
    expect(table.change({ ...change, previous: one })).toHaveLength(2);
    expect(table.revision).not.toBe(revision);
    expect([...table.flags].map(({ name }) => name)).toEqual(["b"]);
    expect(table.isAt(two)).toBe(true);
  });

  test("has come as far as the node that confirms it, which may be back on a copy of its data", () => {
    const table = new FlagTable();
    table.replace({ flags: [], position: one, progress: 5n });
    const confirmed = (progress: bigint, position = one) => [
      table.confirm({ position, progress }),
      table.progress,
    ];
    expect(confirmed(9n)).toEqual([true, 9n]);
    expect(confirmed(7n)).toEqual([true, 7n]);
    expect(confirmed(0n)).toEqual([true, 7n]);
    expect(confirmed(11n, two)).toEqual([false, 7n]);
  });

  test("says what was and what is", () => {
    const table = new FlagTable();
    table.replace({ flags: [flag("a", 0), flag("b", 0)], position: one });
    const differences = table.replace({ flags: [flag("b", 1), flag("c", 2)], position: two });
    expect(
      differences?.map(({ name, before, after }) => [
        name,
        before?.basisPoints,
        after?.basisPoints,
      ]),
    ).toEqual([
      ["a", 0, undefined],
      ["b", 0, 1],
      ["c", undefined, 2],
    ]);
  });

  test("has a bound", () => {
    const flags = Array.from({ length: tableFlagsMax }, (_, at) => flag(`f-${at}`, 0));
    const table = new FlagTable();
    const extra = flag("extra", 0);
    expect(table.replace({ flags: [...flags, extra], position: one })).toBeUndefined();
    expect(table.isEmpty).toBe(true);
    table.replace({ flags, position: one });
    const change = { previous: one, position: two, removed: [] };
    expect(table.change({ ...change, flags: [extra] })).toBeUndefined();
    expect(table.change({ ...change, flags: [flag("f-0", 1)] })).toHaveLength(1);
  });
});

test.each([
  ["a share without a number", flag("a", undefined), false, "ROLLOUT"],
  ["a rule that is not ours", { ...flag("a", 10_000), hash: 3 }, false, "NOT_UNDERSTOOD"],
  ["a reason that is not ours, for all", flag("a", 10_000, "LATER"), true, "FULL"],
  ["a reason that is not ours, for none", flag("a", 0, "LATER"), false, "OFF"],
  ["a reason that is not ours, for most", flag("a", 9_999, "LATER"), true, "ROLLOUT"],
])("%s is understood as far as it goes", (_, received, enabled, reason) => {
  const table = new FlagTable();
  table.replace({ flags: [received], position: one });
  expect(table.decide("a", "i-1", false)).toEqual({ enabled, reason });
});
