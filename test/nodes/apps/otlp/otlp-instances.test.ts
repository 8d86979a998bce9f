import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { CensusSchema } from "../../../../gen/headwater/v1/flag_pb.ts";
import { OtlpInstances } from "../../../../nodes/apps/otlp/otlp-instances.ts";
import type { Project } from "../../../../relay/layers/project.ts";
import { otlpInstancesMax } from "../../../../relay/limits.ts";
import { useOf } from "../../../../relay/telemetry/census/census-use.ts";

test("past so many instances who was silent longest starts anew", () => {
  const instances = new OtlpInstances();
  const isReported = (n: number): boolean => {
    const app = { project: "horizon", version: "1.0", instance: `i-${n}` };
    return instances.take(app, [], { address: `192.0.2.${n % 3}`, monoMs: 0 }) !== undefined;
  };
  const numbers = Array.from({ length: otlpInstancesMax }, (_, n) => n);
  expect(numbers.every(isReported)).toBe(true);
  expect(isReported(0)).toBe(false);
  expect(isReported(otlpInstancesMax)).toBe(true);
  expect([isReported(0), isReported(1)]).toEqual([false, true]);
});

test("an address that sends more than half of them makes nobody else start anew", () => {
  const instances = new OtlpInstances(10);
  const isReported = (instance: string, address: string): boolean => {
    const app = { project: "horizon", version: "1.0", instance };
    return instances.take(app, [], { address, monoMs: 0 }) !== undefined;
  };
  const honest = Array.from({ length: 5 }, (_, n) => `i-${n}`);
  const invented = Array.from({ length: 100 }, (_, n) => `x-${n}`);
  expect(honest.every((one) => isReported(one, "192.0.2.1"))).toBe(true);
  expect(invented.every((one) => isReported(one, "192.0.2.2"))).toBe(true);
  expect(honest.some((one) => isReported(one, "192.0.2.1"))).toBe(false);
  // An instance that comes by another way is that address's from then on.
  expect(honest.some((one) => isReported(one, "192.0.2.2"))).toBe(false);
  expect(isReported("x-0", "192.0.2.2")).toBe(true);
});

test.each([
  ["FEATURE", "old-api", "UNKNOWN"],
  ["FLAG", "never-heard-of", "UNKNOWN"],
  ["FLAG", "fast-path", "USED"],
  ["BELOW", "2.0", "USED"],
  ["BELOW", "1.0", "UNUSED"],
])("to a census of %s %s it says %s", (kind, name, use) => {
  const app = { project: "horizon", version: "1.0", instance: "i-1" };
  const fact = { kind: "flag", name: "fast-path", active: true, set: "" } as const;
  const report = new OtlpInstances().take(app, [fact], { address: "192.0.2.1", monoMs: 0 });
  const project = { buildOf: () => ({ release: "1.0" }) } as unknown as Project;
  const heard = { project, report: report!, wallMs: 0, knowsUse: true };
  expect(useOf(create(CensusSchema, { kind, name }), heard)).toBe(use);
});
