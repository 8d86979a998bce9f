import { expect, test } from "vitest";
import { trialInstancesMax } from "../../../../relay/limits.ts";
import { Random } from "../../../../relay/random.ts";
import { Trial } from "../../../../relay/telemetry/trial/trial.ts";
import { epochMs } from "../../authority.ts";
import { growth } from "../../growth.ts";
import { hourMs } from "../fixture.ts";
import { type Failing, modelArms, modelInstances } from "./trial-model.ts";

const often: Failing = { atOnce: 0.1, eachWindow: 0.01 };

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

test("what a site's instances report comes to what the model of many trials counts", () => {
  const [instances, until] = [300, 24];
  const site = { instances, upgradeWindows: 12, before: often, after: often };
  const all = modelInstances(site, new Random(3));
  const trial = begun();
  for (const [instance, { upgradedAt, failsBefore, failsAfter }] of all.entries()) {
    const report = (
      arm: "subject" | "control",
      of: { from: number; to: number; failsAt: number },
    ) => {
      for (let at = of.from; at <= Math.min(of.to, of.failsAt); at += 0.5)
        trial.take({ arm, instance, health: "OK", interval: Math.floor(2 * at) });
      const interval = Math.floor(2 * of.failsAt);
      if (of.failsAt <= of.to) trial.take({ arm, instance, health: "FAILED", interval });
    };
    report("control", { from: 0, to: Math.min(until, upgradedAt), failsAt: failsBefore });
    if (upgradedAt < until) report("subject", { from: upgradedAt, to: until, failsAt: failsAfter });
  }
  const model = modelArms(all, until);
  for (const arm of ["subject", "control"] as const) {
    const { halfIntervals, ...counts } = trial.arm(arm);
    const { halfIntervals: expected, ...others } = model[arm];
    expect(counts).toEqual(others);
    expect(Math.abs(halfIntervals / expected - 1)).toBeLessThan(0.05);
  }
});

test("no side counts more instances than it may, whoever they are", () => {
  const trial = begun();
  for (let instance = 0; instance < trialInstancesMax + 100; instance++)
    trial.take({ arm: "subject", instance: instance * 2 ** 24, health: "OK", interval: 0 });
  expect(trial.arm("subject").instances).toBe(trialInstancesMax);
  expect(trial.membersCount).toBe(trialInstancesMax);
  const bytes = trial.toBytes();
  expect(bytes.length).toBeLessThan(8 * trialInstancesMax);
});

test("one is read in one go: a node reads a hundred before it starts, and more when peers tell", () => {
  const times = growth({ few: trialInstancesMax / 20, many: trialInstancesMax }, (count) => {
    const trial = begun();
    for (let n = 0; n < count; n++)
      trial.take({ arm: "subject", instance: n * 2 ** 24, health: "OK", interval: 0 });
    const bytes = trial.toBytes();
    return () => expect(Trial.restored(bytes).membersCount).toBe(count);
  });
  expect(times).toBeLessThan(80);
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
