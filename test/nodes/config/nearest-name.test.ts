import { describe, expect, it } from "vitest";
import { nearestName } from "../../../nodes/config/nearest-name.ts";

describe("nearestName", () => {
  it.each([
    ["precent", ["percent", "versions", "kill", "note"], "percent"],
    ["klil", ["percent", "versions", "kill", "note"], "kill"],
    ["notes", ["note", "versions"], "note"],
    ["", ["percent", "kill"], "kill"],
    ["same", ["same", "sane"], "same"],
  ])("of %j in %j is %j", (text, candidates, nearest) => {
    expect(nearestName(text, candidates)).toBe(nearest);
  });

  it("looks at no more of a text than a name may have", () => {
    const candidates = ["a".repeat(90), "b".repeat(200)];
    expect(nearestName(`${"a".repeat(100)}${"b".repeat(1_000)}`, candidates)).toBe(candidates[0]);
  });

  it("is nothing where there is nothing", () => {
    expect(nearestName("a", [])).toBeUndefined();
  });
});
