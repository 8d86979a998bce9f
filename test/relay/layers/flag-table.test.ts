import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type EffectiveFlag, REASONS } from "../../../relay/flag/effective-flag.ts";
import { FlagTable } from "../../../relay/layers/flag-table.ts";
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

function tableOf(updates: readonly ReadonlyMap<string, EffectiveFlag | undefined>[]): FlagTable {
  const table = new FlagTable("", []);
  for (const one of updates) table.update(one);
  return table;
}

function textOf(table: FlagTable): string {
  return JSON.stringify([...table.flags].sort(([a], [b]) => (a < b ? -1 : 1)));
}
