import { describe, expect, test } from "vitest";
import { dayMs } from "../../../relay/cadence.ts";
import { isReplayed } from "../../../relay/rollout/decision.ts";
import { valueOf } from "../authority.ts";
import { hourMs } from "../telemetry/fixture.ts";
import { Root } from "./rollout-root.ts";

describe("what a child says of its windows", () => {
  /** Hours until the first step is over, with children that report as often as they say. */
  function hoursOfStep(root: Root, windows: Readonly<Record<string, number>>): number {
    for (let hour = 1; hour < 24 * 40; hour++) {
      root.live(hourMs);
      for (const [child, windowMs] of Object.entries(windows))
        if (hour % (windowMs / hourMs) === 0) root.hear(child, windowMs);
      if (root.rollout.step > 0) return hour;
    }
    return Number.POSITIVE_INFINITY;
  }

  test("holds a step up for a day of windows, not for weeks, and who it was is told", () => {
    const root = new Root();
    valueOf(root.start());
    root.hear("slow", 7 * dayMs);
    expect(hoursOfStep(root, { acme: hourMs, slow: 7 * dayMs })).toBeLessThanOrEqual(4 * 24 + 1);
    const waits = root.decisions.map(({ reason }) => reason);
    expect(waits).toContain("the step lasts 4d, as slow reports every 7d");
    expect(waits).toContain("to 60 %, without slow: too seldom heard to be waited for");
    expect(root.decisions.filter((one) => !isReplayed(one))).toEqual([]);
  });

  test("does not let a step be over that nobody has said anything of", () => {
    const root = new Root();
    const hear = (): void => root.hear("slow", 7 * dayMs, "HEALTH", { wide: 1 });
    valueOf(root.start());
    root.node.wait(1);
    hear();
    for (let day = 0; day < 5; day++) root.node.wait(dayMs);
    expect(root.rollout.step).toBe(1);
    for (let day = 0; day < 7; day++) root.node.wait(dayMs);
    expect(root.rollout).toMatchObject({ step: 1, reason: "0 of 1 sites have reported" });
    hear();
    root.node.wait(dayMs);
    expect(root.rollout.step).toBe(2);
  });

  test("is waited for where it is a day", () => {
    const root = new Root();
    valueOf(root.start());
    root.hear("daily", dayMs);
    root.node.wait(1);
    valueOf(root.change("PAUSE"));
    valueOf(root.change("RESUME"));
    root.live(3.5 * dayMs);
    expect(root.rollout.step).toBe(0);
    root.hear("daily", dayMs);
    root.live(dayMs);
    expect(root.rollout.step).toBe(1);
  });

  test("and who has said nothing since the step began is told by name", () => {
    const root = new Root();
    for (const child of ["d", "c", "b", "a"]) root.hear(child, 2 * hourMs);
    root.node.wait(1);
    valueOf(root.start({ hops: 1 }));
    root.live(6 * hourMs);
    root.hear("d", 2 * hourMs);
    root.node.wait(1000);
    expect(root.rollout.reason).toBe("3 sites have not reported since the step began: a, b, c");
  });

  test("is told where no plan is good with it", () => {
    const root = new Root();
    root.hear("slow", 7 * dayMs);
    expect(root.start({ dwell: BigInt(6 * hourMs) })).toMatchObject({
      refusal: {
        message: "plan.steps[0].dwell_ms: 6h, and documents need 4d to come up",
        hint: "slow reports every 7d: give each step as long, or revoke it: `headwater child revoke slow`.",
      },
    });
  });

  test("counts no more once it is revoked, at once and after a restart", () => {
    const root = new Root();
    root.hear("slow", dayMs, "WEIGHTS");
    valueOf(root.node.ask((call) => ({ kind: "revoke-child", call, name: "slow" })));
    const reportersCount = (): number =>
      valueOf(root.node.node.reads.fleet("horizon", root.node.wallMs)).reportersCount;
    expect(reportersCount()).toBe(0);
    root.node.restart();
    expect(reportersCount()).toBe(0);
  });
});
