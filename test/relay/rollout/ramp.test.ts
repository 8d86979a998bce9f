import { create, fromBinary } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { ReportRequestSchema } from "../../../gen/headwater/v1/apps_pb.ts";
import type { JoinToken } from "../../../gen/headwater/v1/mesh_pb.ts";
import {
  type Rollout,
  type RolloutDecision,
  RolloutDecisionSchema,
  RolloutPlanSchema,
} from "../../../gen/headwater/v1/rollouts_pb.ts";
import { dayMs } from "../../../relay/cadence.ts";
import { isReplayed } from "../../../relay/rollout/decision.ts";
import { refusalOf, valueOf } from "../authority.ts";
import { flagEntry, releaseEntries } from "../layers/entries.ts";
import { rootNode, type SteppedNode } from "../stepped-node.ts";
import { healthDocument, hourMs, weightsDocument } from "../telemetry/fixture.ts";

const dwellMs = BigInt(6 * hourMs);

/** A root with apps of its own, and a flag that nobody has yet. */
class Root {
  readonly node: SteppedNode = rootNode();
  readonly tokens: Map<string, JoinToken> = new Map();

  constructor() {
    valueOf(
      this.node.commit({ ...releaseEntries("1.0"), ...flagEntry("wide", { basisPoints: 100 }) }),
    );
  }

  start(
    of: {
      flag?: string;
      steps?: readonly number[];
      killOnBad?: boolean;
      dwell?: bigint;
      hops?: number;
    } = {},
  ) {
    const {
      flag = "wide",
      steps = [3000, 6000, 10_000],
      killOnBad = false,
      dwell = dwellMs,
      hops = 0,
    } = of;
    const plan = create(RolloutPlanSchema, {
      steps: steps.map((basisPoints) => ({ basisPoints, dwellMs: dwell })),
      killOnBad,
      hops,
    });
    return this.node.ask<{ rollout: Rollout }>((call) => ({
      kind: "start-rollout",
      call,
      project: "horizon",
      flag,
      plan,
    }));
  }

  change(action: "PAUSE" | "RESUME" | "ABORT") {
    const of = { project: "horizon", flag: "wide", action };
    return this.node.ask((call) => ({ kind: "change-rollout", call, ...of }));
  }

  /** So many apps say whether they take the path; those that do may fail. */
  live(forMs: number, of: { failing?: boolean } = {}): void {
    for (let passed = 0; passed < forMs; passed += hourMs / 2) {
      for (let n = 0; n < 100; n++) {
        const asked = { project: "horizon", flag: "wide", instance: `i-${n}`, version: "1.0" };
        const { enabled } = this.node.node.reads.evaluate(asked, this.node.wallMs);
        const report = create(ReportRequestSchema, {
          project: "horizon",
          version: "1.0",
          instance: `i-${n}`,
          health: enabled && of.failing === true ? "FAILED" : "OK",
          flags: [{ name: "wide", active: enabled }],
        });
        valueOf(this.node.ask((call) => ({ kind: "report", call, report })));
      }
      this.node.wait(hourMs / 2);
    }
  }

  /** A child's document of the last window, of this length. */
  hear(child: string, windowMs: number, kind: "HEALTH" | "WEIGHTS" = "HEALTH"): void {
    const token = this.tokens.get(child) ?? valueOf(this.node.addChild(child));
    this.tokens.set(child, token);
    const window = Math.floor(this.node.wallMs / windowMs);
    const said = kind === "HEALTH" ? healthDocument({}) : weightsDocument({});
    const document = { ...said, window: BigInt(window), windowMs };
    const peer = { by: "credential", credential: token.credential } as const;
    valueOf(this.node.ask((call) => ({ kind: "document-received", call, peer, document })));
  }

  get rollout(): Rollout {
    const [rollout] = this.node.node.reads.rollouts("horizon");
    if (rollout === undefined) throw new Error("there is no rollout");
    return rollout;
  }

  get decisions(): RolloutDecision[] {
    const stored = [...this.node.stored.values()].filter(({ bucket }) => bucket === "decision");
    return stored.map(({ value }) => fromBinary(RolloutDecisionSchema, value));
  }

  get basisPoints(): number | undefined {
    return this.node.flags()?.["wide"];
  }
}

describe("a rollout at a node", () => {
  test("ramps by itself, also over a restart, and every decision can be taken again", () => {
    const root = new Root();
    valueOf(root.start());
    expect(root.basisPoints).toBe(3000);
    root.live(5 * hourMs);
    expect(root.basisPoints).toBe(3000);
    root.node.restart();
    root.live(30 * hourMs);
    expect(root.rollout).toMatchObject({ state: "DONE", step: 2 });
    expect(root.basisPoints).toBe(10_000);
    const words = root.decisions.map(({ decision }) => decision);
    expect(words.filter((word) => word !== "WAIT")).toEqual(["PROMOTE", "PROMOTE", "DONE"]);
    expect(root.decisions.filter((one) => !isReplayed(one))).toEqual([]);
  });

  test("waits as long as nobody reports, and writes that down once", () => {
    const root = new Root();
    valueOf(root.start());
    for (let hour = 0; hour < 200; hour++) root.node.wait(hourMs);
    expect(root.basisPoints).toBe(3000);
    expect(root.rollout).toMatchObject({ state: "RUNNING", reason: "0 of 1 sites have reported" });
    expect(root.decisions).toHaveLength(2);
  });

  test("halts when it is bad, and kills when it is to; then it can be tried again", () => {
    const root = new Root();
    valueOf(root.start({ killOnBad: true }));
    root.live(3 * hourMs, { failing: true });
    expect(root.rollout).toMatchObject({ state: "HALTED", reason: "the flag is bad" });
    expect(root.basisPoints).toBe(0);
    expect(root.decisions.filter((one) => !isReplayed(one))).toEqual([]);
    expect(refusalOf(root.change("RESUME"))).toBe("conflict: flag: it is killed");
    expect(refusalOf(root.start())).toBe("conflict: flag: wide is killed");
    valueOf(root.node.setFlag("wide", 200));
    valueOf(root.start());
    root.live(40 * hourMs);
    expect(root.rollout.state).toBe("DONE");
  });

  test("that is to halt only leaves the flag where it is, to whoever takes over", () => {
    const root = new Root();
    valueOf(root.start());
    root.live(3 * hourMs, { failing: true });
    expect(root.rollout.state).toBe("HALTED");
    expect(root.basisPoints).toBe(3000);
    expect(root.node.setFlag("wide", 0).ok).toBe(true);
  });

  test("stays while it is paused, begins the step anew, and ends when it is aborted", () => {
    const root = new Root();
    valueOf(root.start());
    root.live(5 * hourMs);
    valueOf(root.change("PAUSE"));
    root.live(50 * hourMs);
    expect(root.basisPoints).toBe(3000);
    expect(refusalOf(root.change("PAUSE"))).toBe("conflict: action: the rollout is paused");
    expect(root.change("PAUSE")).toMatchObject({
      refusal: { hint: expect.stringContaining("headwater rollout resume horizon/wide") },
    });
    valueOf(root.change("RESUME"));
    root.live(5 * hourMs);
    expect(root.basisPoints).toBe(3000);
    root.live(2 * hourMs);
    expect(root.basisPoints).toBe(6000);
    valueOf(root.change("ABORT"));
    root.node.restart();
    root.live(50 * hourMs);
    expect(root.rollout.state).toBe("ABORTED");
    expect(root.basisPoints).toBe(6000);
    expect(refusalOf(root.change("RESUME"))).toBe("conflict: action: the rollout is aborted");
    expect(root.change("RESUME")).toMatchObject({
      refusal: { hint: expect.stringContaining("headwater rollout start horizon/wide") },
    });
  });

  test("owns the percentage, not the kill and not the note", () => {
    const root = new Root();
    valueOf(root.start());
    const owned = "conflict: entries: a rollout owns the percentage of wide";
    expect(refusalOf(root.node.setFlag("wide", 3001))).toBe(owned);
    expect(refusalOf(root.node.commit({ "flag/wide": undefined }))).toBe(owned);
    expect(refusalOf(root.start())).toBe("conflict: flag: a rollout of wide is running already");
    const same = { basisPoints: 3000, note: "said" };
    expect(root.node.commit(flagEntry("wide", same)).ok).toBe(true);
    const kill = { ...same, kill: { versions: "*" } };
    expect(root.node.commit(flagEntry("wide", kill)).ok).toBe(true);
    root.node.wait(1000);
    expect(root.rollout).toMatchObject({ state: "HALTED", reason: "somebody has killed the flag" });
  });

  test("is not begun and does not go on while nothing can be written", () => {
    const root = new Root();
    root.node.disk = "full";
    expect(refusalOf(root.start())).toMatch(/^unavailable/);
    expect(root.node.node.reads.rollouts("horizon")).toEqual([]);
    root.node.disk = "good";
    valueOf(root.start());
    root.live(5.5 * hourMs);
    root.node.disk = "full";
    root.live(3 * hourMs);
    expect(root.basisPoints).toBe(3000);
    root.node.disk = "good";
    root.live(hourMs);
    expect(root.basisPoints).toBe(6000);
    expect(root.rollout.step).toBe(1);
  });

  test.each([
    [{ steps: [50] }, "invalid: plan.steps[0].basis_points: 0.5 % is no step up from 1 %"],
    [{ steps: [] }, "invalid: plan.steps: from 1 to 20 of them"],
  ])("with %j is refused", (plan, problem) => {
    expect(refusalOf(new Root().start(plan))).toBe(problem);
  });

  test("of many flags takes no longer than of one to look what the fleet says", () => {
    const root = new Root();
    const flags = Array.from({ length: 3_000 }, (_, n) => `flag-${n}`);
    valueOf(root.node.commit(Object.assign({}, ...flags.map((one) => flagEntry(one)))));
    for (const flag of flags.slice(0, 100)) valueOf(root.start({ flag }));
    root.node.wait(10_000);
    const tookMs = Array.from({ length: 5 }, () => {
      const beganMs = performance.now();
      root.node.wait(1_000);
      return performance.now() - beganMs;
    });
    expect(Math.min(...tookMs)).toBeLessThan(200);
  });
});

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
        hint: "slow reports every 7d: give each step as long, or headwater child revoke slow.",
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
