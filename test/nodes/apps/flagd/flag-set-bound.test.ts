import { expect, test } from "vitest";
import { checkedJson } from "../../../../nodes/apps/flagd/flag-set-bound.ts";
import { flagdJsonLengthMax } from "../../../../relay/limits.ts";

test("all flags are sent up to a length; past it the hint says how to ask for fewer", () => {
  const longest = "x".repeat(flagdJsonLengthMax);
  expect(checkedJson(longest)).toBe(longest);
  expect(() => checkedJson(`${longest}x`)).toThrow(
    expect.objectContaining({ kind: "limit", hint: expect.stringContaining("version=VERSION") }),
  );
});
