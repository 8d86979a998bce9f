import fc from "fast-check";
import { expect, test } from "vitest";
import {
  entryHash,
  entryKey,
  entryKeyProblem,
  entryProblem,
  entrySize,
  splitEntryKey,
} from "../../../relay/ledger/entry.ts";
import { entryBytesMax, entryKeyLengthMax } from "../../../relay/limits.ts";
import { sha256, toHex } from "../../../relay/trust/key.ts";

const anyEntry = fc.record({
  key: fc.string({ maxLength: 12 }),
  value: fc.uint8Array({ maxLength: 12 }),
});

test("a hash is SHA-256 of the key's length in four bytes, the key and the value", () => {
  // printf '\0\0\0\6flag/awert' | sha256sum
  const entry = { key: "flag/a", value: Buffer.from("wert") };
  const bytes = Buffer.concat([Buffer.from([0, 0, 0, 6]), Buffer.from("flag/awert")]);
  expect(toHex(entryHash(entry))).toBe(toHex(sha256(bytes)));
});

test("two entries share a hash only when they are the same, however key and value are split", () => {
  fc.assert(
    fc.property(anyEntry, anyEntry, (a, b) => {
      const isSame =
        Buffer.from(a.key).equals(Buffer.from(b.key)) && Buffer.from(a.value).equals(b.value);
      expect(toHex(entryHash(a)) === toHex(entryHash(b))).toBe(isSame);
    }),
  );
  const moved = [
    { key: "flag/ab", value: Buffer.from("c") },
    { key: "flag/a", value: Buffer.from("bc") },
    { key: "flag/abc", value: Buffer.from("") },
  ];
  expect(new Set(moved.map((entry) => toHex(entryHash(entry)))).size).toBe(3);
});

test.each(["flag/a", "rule/cap/*", "rule/kill/new-scheduler", "alias/2.3.0-4.el9", "future/x"])(
  "%s may be a key, known kind or not",
  (key) => {
    expect(entryKeyProblem(key)).toBeUndefined();
  },
);

test.each([
  "",
  "flag",
  "flag/",
  "/a",
  "Flag/a",
  "flag2/a",
  "flag/a b",
  "flag/a\n",
  "flag/ä",
  "flag/\u0000",
  "flag/\u007f",
])("%j is no key", (key) => {
  expect(entryKeyProblem(key)?.kind).toBe("invalid");
});

test("keys and values end at their bounds", () => {
  const longest = `flag/${"a".repeat(entryKeyLengthMax - 5)}`;
  expect(entryKeyProblem(longest)).toBeUndefined();
  expect(entryKeyProblem(`${longest}a`)?.kind).toBe("limit");
  const value = new Uint8Array(entryBytesMax);
  expect(entryProblem({ key: "flag/a", value })).toBeUndefined();
  expect(entryProblem({ key: "flag/a", value: new Uint8Array(entryBytesMax + 1) })).toMatchObject({
    kind: "limit",
    message: expect.stringContaining("flag/a"),
  });
});

test("a size counts bytes, of the key too", () => {
  expect(entrySize({ key: "flag/ä", value: new Uint8Array(3) })).toBe(7 + 3);
});

test("a key is taken apart at its first slash", () => {
  expect(splitEntryKey(entryKey("rule", "cap/a"))).toEqual({ kind: "rule", name: "cap/a" });
});
