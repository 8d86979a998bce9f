import { expect, test } from "vitest";
import { trialInstancesMax } from "../../../relay/limits.ts";
import { Trial } from "../../../relay/telemetry/trial.ts";
import { epochMs } from "../authority.ts";
import { hourMs } from "./fixture.ts";

const begun = (): Trial =>
  Trial.begin({ project: "horizon", kind: "FLAG", name: "wide", startedMs: epochMs });

test("an instance is counted once on each side, and watched until it fails", () => {
  const trial = begun();
  const take = (interval: number, health: string, arm: "subject" | "control" = "subject"): void =>
    trial.take({ arm, instance: 7, health, interval });
  take(0, "OK", "control");
  take(0, "OK");
  take(0, "OK");
  take(1, "DEGRADED");
  take(2, "OK");
  take(3, "FAILED");
  take(4, "FAILED");
  expect(trial.arm("subject")).toEqual({ instances: 1, unwell: 1, failed: 1, halfIntervals: 7 });
  expect(trial.arm("control")).toEqual({ instances: 1, unwell: 0, failed: 0, halfIntervals: 1 });
  const again = Trial.restored(trial.toBytes());
  expect(again.arm("subject")).toEqual(trial.arm("subject"));
  again.take({ arm: "subject", instance: 7, health: "FAILED", interval: 5 });
  expect(again.arm("subject")).toEqual(trial.arm("subject"));
});

test("no side counts more instances than it may, whoever they are", () => {
  const trial = begun();
  for (let instance = 0; instance < trialInstancesMax + 100; instance++)
    trial.take({ arm: "subject", instance: instance * 2 ** 24, health: "OK", interval: 0 });
  expect(trial.arm("subject").instances).toBe(trialInstancesMax);
  expect(trial.membersCount).toBe(trialInstancesMax);
  expect(trial.toBytes().length).toBeLessThan(8 * trialInstancesMax);
});

test("who was of the release that it was compared with before is not kept", () => {
  const trial = begun();
  for (const instance of [1, 2])
    trial.take({ arm: "control", instance, health: "OK", interval: 0 });
  trial.take({ arm: "subject", instance: 2, health: "OK", interval: 0 });
  trial.compareWith("1.1");
  expect(trial.membersCount).toBe(1);
});

test("of looks that went by the last is taken; after the last of all nothing is kept of instances", () => {
  const trial = begun();
  for (let instance = 0; instance < 100; instance++) {
    trial.take({ arm: "subject", instance, health: instance < 30 ? "FAILED" : "OK", interval: 0 });
    trial.take({ arm: "control", instance: 1000 + instance, health: "OK", interval: 0 });
  }
  expect(trial.looksDue(epochMs + hourMs - 1, hourMs)).toBe(0);
  expect(trial.looksDue(epochMs + 30 * hourMs, hourMs)).toBe(3);
  expect(trial.look(3, [])).toBe("BAD");
  expect(trial.lookAt(0)).toBeUndefined();
  expect(trial.lookAt(2)).toMatchObject({ instances: 100, failed: 30 });
  expect(trial.isOver).toBe(false);
  expect(trial.look(4, [])).toBe("BAD");
  expect(trial.isOver).toBe(true);
  expect(trial.membersCount).toBe(0);
  trial.take({ arm: "subject", instance: 5000, health: "OK", interval: 200 });
  expect(trial.arm("subject").instances).toBe(100);
});
