import { expect, test } from "vitest";
import { OtlpInstances } from "../../../../nodes/apps/otlp/otlp-instances.ts";
import { otlpInstancesMax } from "../../../../relay/limits.ts";

test("past so many instances who was silent longest starts anew", () => {
  const instances = new OtlpInstances();
  const isReported = (n: number): boolean => {
    const app = { project: "horizon", version: "1.0", instance: `i-${n}` };
    return instances.take(app, [], 0) !== undefined;
  };
  const numbers = Array.from({ length: otlpInstancesMax }, (_, n) => n);
  expect(numbers.every(isReported)).toBe(true);
  expect(isReported(0)).toBe(false);
  expect(isReported(otlpInstancesMax)).toBe(true);
  expect([isReported(0), isReported(1)]).toEqual([false, true]);
});
