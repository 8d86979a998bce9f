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

  it("is nothing where there is nothing", () => {
    expect(nearestName("a", [])).toBeUndefined();
  });
});
