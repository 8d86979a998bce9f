import process from "node:process";
import { expect, test } from "vitest";
import { readStep, runStep } from "../../scripts/step.mjs";

const node = process.execPath;

test("a step answers with what it has written, or with the last that it complained of", () => {
  expect(readStep(node, ["-p", "6 * 7"])).toEqual({ output: "42\n" });
  expect(runStep(node, ["-p", "6 * 7"])).toBeUndefined();
  const failing = ["-e", "console.error('first'); console.error('last'); process.exit(1)"];
  expect(runStep(node, failing)).toBe(`${node} failed: last`);
  expect(readStep("no-such-program", [])).toEqual({
    reason: "this machine has no no-such-program",
  });
});
