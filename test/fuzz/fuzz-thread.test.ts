import { expect, test } from "vitest";
import { runThread } from "./fuzz-thread.ts";
import { textBytes } from "./target.ts";

const task = { inputsCount: 10, seed: 1, isGuided: false, isBlind: true };
const targets = new URL("bad-targets.ts", import.meta.url);

test.each([
  ["hangs", { hangMs: 200 }, "hang: more than 0.2 s"],
  ["takes memory without end", { heapMibMax: 48 }, "memory limit"],
  ["waits for what never comes", {}, "the thread has ended with 13"],
  ["throws when nobody listens", {}, "the thread has ended: Error: nobody listens"],
])("a target that %s is found, with its input", async (target, of, says) => {
  const { outcome, findings } = await runThread({ ...task, target }, { ...of, targets });
  expect(outcome).toBeUndefined();
  const what = expect.stringContaining(says) as string;
  expect(findings).toEqual([{ target, what, input: textBytes("bad") }]);
});

test("one that does nothing of it is tried to its end", async () => {
  const { outcome, findings } = await runThread({ ...task, target: "behaves" }, { targets });
  expect(outcome?.inputsCount).toBe(task.inputsCount);
  expect(findings).toEqual([]);
});
