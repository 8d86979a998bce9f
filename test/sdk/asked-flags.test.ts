import { expect, test } from "vitest";
import { AskedFlags } from "../../sdk/asked-flags.ts";
import { reportFlagsMax } from "../../sdk/limits.ts";

const yes = { enabled: true, fallback: false, instance: "i-1", revision: 1 };

test("the last answer counts, in the record of the first", () => {
  const asked = new AskedFlags();
  asked.note("a", { ...yes });
  const held = asked.get("a");
  asked.note("a", { enabled: false, fallback: true, instance: "i-1", revision: 2 });
  expect(asked.get("a")).toBe(held);
  expect(held).toEqual({ enabled: false, fallback: true, instance: "i-1", revision: 2 });
  expect(asked.list).toEqual([{ name: "a", active: false }]);
});

test("what a node would refuse is not kept", () => {
  const asked = new AskedFlags();
  for (const name of ["", "a b", undefined as never, Object.create(null) as never]) {
    asked.note(name, yes);
  }
  expect(asked.list).toEqual([]);
  for (let at = 0; at <= reportFlagsMax; at++) asked.note(`f-${at}`, yes);
  expect(asked.list).toHaveLength(reportFlagsMax);
});
