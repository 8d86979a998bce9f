import { expect, test } from "vitest";
import { Intake } from "../../../relay/telemetry/intake.ts";
import { epochMs } from "../authority.ts";
import { reportOf } from "./fixture.ts";

const everyMs = 1000;

test("an instance counts once, with what it said last", () => {
  const intake = new Intake(() => 0);
  intake.take(reportOf({ instance: "a", version: "1.0" }), epochMs);
  intake.take(reportOf({ instance: "b" }), epochMs);
  intake.take(reportOf({ instance: "a", version: "2.0" }), epochMs + 1);
  expect(intake.instancesCount).toBe(2);
  const versions = intake.reports(0).map(({ instance, version }) => `${instance} ${version}`);
  expect(versions.sort()).toEqual(["a 2.0", "b 1.0"]);
});

test("what was heard before a time is not there for it", () => {
  const intake = new Intake(() => 0);
  intake.take(reportOf({ instance: "a" }), epochMs);
  intake.take(reportOf({ instance: "b" }), epochMs + 10);
  expect(intake.reports(epochMs + 10).map(({ instance }) => instance)).toEqual(["b"]);
});

test("an instance that is silent for two intervals is forgotten, one that speaks is not", () => {
  const intake = new Intake(() => 0);
  for (const instance of ["a", "b", "c"]) intake.take(reportOf({ instance }), epochMs);
  intake.take(reportOf({ instance: "a" }), epochMs + everyMs);
  intake.expire(epochMs + 2 * everyMs, everyMs);
  expect(intake.instancesCount).toBe(3);
  intake.expire(epochMs + 2 * everyMs + 1, everyMs);
  expect(intake.reports(0).map(({ instance }) => instance)).toEqual(["a"]);
  expect([intake.holds("a"), intake.holds("b")]).toEqual([true, false]);
});
