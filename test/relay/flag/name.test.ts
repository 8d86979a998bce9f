import { describe, expect, it } from "vitest";
import { isName } from "../../../relay/flag/name.ts";

describe("isName", () => {
  it.each(["a", "0", "new-scheduler", "2.4.0-rc.1", "Keystone_v2.api", "a".repeat(100)])(
    "accepts %j",
    (text) => {
      expect(isName(text)).toBe(true);
    },
  );

  it.each(["", "-a", ".a", "_a", "*", "a b", "a/b", "a\n", "é", "2.3.0+x", "a".repeat(101)])(
    "refuses %j",
    (text) => {
      expect(isName(text)).toBe(false);
    },
  );
});
