import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type EffectiveFlag, REASONS } from "../../../relay/flag/effective-flag.ts";
import { FlagTable } from "../../../relay/layers/flag-table.ts";
import { tableHistoryLengthMax, tableHistoryNamesMax } from "../../../relay/limits.ts";
import { toHex } from "../../../relay/trust/key.ts";

const name = fc.constantFrom("a", "b", "c", "d");
const value = fc.record({
  basisPoints: fc.constantFrom(0, 1, 5000),
  hash: fc.constantFrom(1, 2),
  reason: fc.constantFrom(...REASONS),
});
const update = fc
  .dictionary(name, fc.option(value, { nil: undefined }), { noNullPrototype: true })
  .map(
    (of) => new Map(Object.entries(of).map(([key, flag]) => [key, flag && { name: key, ...flag }])),
  );

describe("a position", () => {
  test("is the same for equal tables, on whatever way they came to be, and differs else", () => {
    fc.assert(
      fc.property(fc.array(update), fc.array(update), (one, other) => {
        const [a, b] = [tableOf(one), tableOf(other)];
        expect(toHex(a.position)).toBe(toHex(new FlagTable("", [...a.flags.values()]).position));
        const isEqual = textOf(a) === textOf(b);
        expect(toHex(a.position) === toHex(b.position)).toBe(isEqual);
      }),
    );
  });

  test("has 32 bytes, of a table without flags too", () => {
    expect(new FlagTable("1.0", []).position).toHaveLength(32);
  });
});

describe("a change", () => {
  test("leads from the former position to the present one, and is none when nothing differs", () => {
    fc.assert(
      fc.property(fc.array(update), update, (before, last) => {
        const table = tableOf(before);
        const former = tableOf(before);
        const change = table.update(last);
        if (change === undefined) {
          expect(textOf(table)).toBe(textOf(former));
          return;
        }
        expect(toHex(change.previous)).toBe(toHex(former.position));
        expect(toHex(change.position)).toBe(toHex(table.position));
        expect(toHex(change.position)).not.toBe(toHex(change.previous));
        const replayed = new Map<string, EffectiveFlag | undefined>(
          change.flags.map((flag) => [flag.name, flag]),
        );
        for (const gone of change.removed) replayed.set(gone, undefined);
        former.update(replayed);
        expect(textOf(former)).toBe(textOf(table));
      }),
    );
  });

  test("names only what differs", () => {
    const flag = { name: "a", basisPoints: 1, hash: 2, reason: "ROLLOUT" } as const;
    const table = new FlagTable("1.0", [flag]);
    expect(
      table.update(
        new Map([
          ["a", { ...flag }],
          ["b", undefined],
        ]),
      ),
    ).toBeUndefined();
    const change = table.update(
      new Map([
        ["a", flag],
        ["b", { ...flag, name: "b" }],
      ]),
    );
    expect(change).toMatchObject({ release: "1.0", flags: [{ name: "b" }], removed: [] });
  });
});

describe("the change since a former position", () => {
  test("leads from it to now, wherever it is remembered", () => {
    fc.assert(
      fc.property(fc.array(update, { maxLength: 6 }), fc.array(update), (before, after) => {
        const table = tableOf(before);
        const former = tableOf(before);
        for (const one of after) table.update(one);
        const change = table.changeSince(former.position);
        if (change === undefined) return;
        expect(toHex(change.previous)).toBe(toHex(former.position));
        former.update(new Map(change.flags.map((flag) => [flag.name, flag])));
        former.update(new Map(change.removed.map((gone) => [gone, undefined])));
        expect(toHex(former.position)).toBe(toHex(change.position));
        expect(textOf(former)).toBe(textOf(table));
      }),
    );
  });

  test("is remembered for so many changes", () => {
    const names = ["a", "b", "c", "d"];
    const table = new FlagTable(
      "",
      names.map((of) => flagOf(of, 0)),
    );
    const positions: Uint8Array[] = [];
    for (let at = 1; at <= tableHistoryLengthMax + 1; at++) {
      positions.push(table.position);
      table.update(new Map([["a", flagOf("a", at)]]));
    }
    const [lost = table.position, first = table.position] = positions;
    expect(table.changeSince(lost)).toBeUndefined();
    expect(table.changeSince(first)?.flags).toEqual([flagOf("a", tableHistoryLengthMax + 1)]);
  });

  test("is remembered for so many names", () => {
    const table = new FlagTable("", flagsAt(0));
    const { position } = table;
    table.update(new Map([["f-0", flagOf("f-0", 1)]]));
    expect(table.changeSince(position)?.flags).toHaveLength(1);
    table.update(new Map(flagsAt(2).map((flag) => [flag.name, flag])));
    table.update(new Map([["f-0", undefined]]));
    expect(table.changeSince(position)).toBeUndefined();
  });

  test("is none where the table itself is smaller, nor of what nobody has seen", () => {
    const table = new FlagTable("", [flagOf("a", 1), flagOf("b", 1)]);
    expect(table.changeSince(new FlagTable("", []).position)).toBeUndefined();
    const { position } = table;
    table.update(new Map([["a", flagOf("a", 2)]]));
    expect(table.changeSince(position)?.flags).toEqual([flagOf("a", 2)]);
    table.update(new Map([["b", flagOf("b", 2)]]));
    expect(table.changeSince(position)?.flags).toHaveLength(2);
    table.update(new Map([["b", undefined]]));
    expect(table.changeSince(position)).toBeUndefined();
  });
});

function flagOf(name: string, basisPoints: number): EffectiveFlag {
  return { name, basisPoints, hash: 2, reason: "ROLLOUT" };
}

/** One more than the names that are remembered. */
function flagsAt(basisPoints: number): EffectiveFlag[] {
  return Array.from({ length: tableHistoryNamesMax + 1 }, (_, n) => flagOf(`f-${n}`, basisPoints));
}

function tableOf(updates: readonly ReadonlyMap<string, EffectiveFlag | undefined>[]): FlagTable {
  const table = new FlagTable("", []);
  for (const one of updates) table.update(one);
  return table;
}

function textOf(table: FlagTable): string {
  return JSON.stringify([...table.flags].sort(([a], [b]) => (a < b ? -1 : 1)));
}
