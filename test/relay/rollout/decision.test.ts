import { create, type MessageInitShape } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  RolloutDecisionSchema,
  RolloutFactsSchema,
  RolloutPlanSchema,
  RolloutSchema,
} from "../../../gen/headwater/v1/rollouts_pb.ts";
import { type Decision, decide, isReplayed } from "../../../relay/rollout/decision.ts";
import { planProblem, travelMs } from "../../../relay/rollout/plan.ts";
import { hourMs } from "../telemetry/fixture.ts";

type PlanInit = MessageInitShape<typeof RolloutPlanSchema>;
type FactsInit = MessageInitShape<typeof RolloutFactsSchema>;

const day = BigInt(24 * hourMs);
const begun = 1_000n * day;

const steps = [500, 2500, 10_000].map((basisPoints) => ({ basisPoints, dwellMs: day }));

function decided(
  of: { plan?: PlanInit; facts?: FactsInit; step?: number; badBefore?: boolean } = {},
): Decision {
  const { step = 0, badBefore = false } = of;
  const plan = create(RolloutPlanSchema, { steps, ...of.plan } as PlanInit);
  const rollout = create(RolloutSchema, {
    project: "horizon",
    flag: "wide",
    plan,
    state: "RUNNING",
    step,
    stepStartedMs: begun,
    startedMs: begun,
    badBefore,
  });
  const facts = create(RolloutFactsSchema, {
    nowMs: begun + day,
    basisPoints: steps[step]?.basisPoints ?? 0,
    flagVerdict: "OK",
    releaseVerdict: "OK",
    arrivalShare: 10_000,
    reportersCount: 5,
    travelMs: BigInt(4 * hourMs),
    ...of.facts,
  } as FactsInit);
  return decide(rollout, facts);
}

describe("a rollout", () => {
  test("goes on when all is known and well, and ends after the last step", () => {
    expect(decided()).toEqual({ decision: "PROMOTE", reason: "to 25 %" });
    expect(decided({ step: 1 })).toEqual({ decision: "PROMOTE", reason: "to 100 %" });
    expect(decided({ step: 2 })).toEqual({ decision: "DONE", reason: "the last step has held" });
  });

  test.each<[string, Parameters<typeof decided>[0], string]>([
    ["the step is young", { facts: { nowMs: begun + day - 1n } }, "the step lasts 1d"],
    [
      "the clock was set back to before it began",
      { facts: { nowMs: begun - day } },
      "the step began at a time to come: pause it and resume it, and it begins anew",
    ],
    [
      "it was, and what was bad before it began may be bad still",
      { badBefore: true, facts: { flagVerdict: "BAD", nowMs: begun - day } },
      "the step began at a time to come: pause it and resume it, and it begins anew",
    ],
    ["documents need longer", { facts: { travelMs: 2n * day } }, "the step lasts 2d"],
    ["nobody has reported", { facts: { reportersCount: 0 } }, "0 of 1 sites have reported"],
    ["few have", { plan: { sitesMin: 6 }, facts: {} }, "5 of 6 sites have reported"],
    [
      "one is silent",
      { facts: { staleCount: 1 } },
      "1 sites have not reported since the step began",
    ],
    [
      "it has not arrived",
      { plan: { arrivalBasisPoints: 9000 }, facts: { arrivalShare: 8999 } },
      "it has arrived at 89.99 % of sites",
    ],
    [
      "nobody runs the release",
      { plan: { release: "2.0", releaseBasisPoints: 1 }, facts: { releaseShare: 0 } },
      "0 % runs 2.0 or newer",
    ],
    [
      "nobody is known to run anything",
      { plan: { release: "2.0", releaseBasisPoints: 1 }, facts: {} },
      "it is not known yet who runs 2.0 or newer",
    ],
    ["it is degraded", { facts: { flagVerdict: "DEGRADED" } }, "the flag is degraded"],
    [
      "its release is degraded",
      { plan: { release: "2.0" }, facts: { releaseVerdict: "DEGRADED" } },
      "release 2.0 is degraded",
    ],
    [
      "it can not be judged",
      { facts: { flagVerdict: "INSUFFICIENT", nowMs: begun + 100n * day } },
      "there are too few instances to judge the flag",
    ],
    [
      "it may go on later",
      { plan: { goOnAfterMs: 3n * day }, facts: { flagVerdict: "INSUFFICIENT" } },
      "there are too few instances to judge the flag",
    ],
    [
      "what is bad was so before",
      { badBefore: true, facts: { flagVerdict: "BAD", nowMs: begun + 1n } },
      "the verdict on the flag is from before",
    ],
  ])("waits while %s", (_, of, reason) => {
    expect(decided(of)).toEqual({ decision: "WAIT", reason });
  });

  test("goes on without a verdict after the time that its plan says, not without reports", () => {
    const plan = { goOnAfterMs: 3n * day };
    const facts = { flagVerdict: "INSUFFICIENT", nowMs: begun + 3n * day };
    expect(decided({ plan, facts }).decision).toBe("PROMOTE");
    expect(decided({ plan, facts: { ...facts, reportersCount: 0 } }).decision).toBe("WAIT");
    expect(decided({ plan, facts: { ...facts, staleCount: 1 } }).decision).toBe("WAIT");
  });

  test.each<[string, Parameters<typeof decided>[0], string]>([
    ["the flag is bad", { facts: { flagVerdict: "BAD", nowMs: begun } }, "the flag is bad"],
    [
      "its release is bad",
      { plan: { release: "2.0" }, facts: { releaseVerdict: "BAD", nowMs: begun } },
      "release 2.0 is bad",
    ],
    [
      "it is still bad when all could have said otherwise",
      { badBefore: true, facts: { flagVerdict: "BAD" } },
      "the flag is bad",
    ],
    ["somebody has killed it", { facts: { killed: true } }, "somebody has killed the flag"],
    ["somebody has set it", { facts: { basisPoints: 700 } }, "somebody has set it to 7 %"],
  ])("halts at once when %s", (_, of, reason) => {
    expect(decided(of)).toEqual({ decision: "HALT", reason });
  });

  test("never goes on while anything that it asks for is missing, whatever else is known", () => {
    const verdict = fc.constantFrom("INSUFFICIENT", "OK", "DEGRADED", "BAD");
    const facts = fc.record({
      nowMs: fc.bigInt(begun, begun + 9n * day),
      basisPoints: fc.constantFrom(500, 500, 700),
      killed: fc.boolean(),
      flagVerdict: verdict,
      releaseVerdict: verdict,
      releaseShare: fc.nat(10_000),
      arrivalShare: fc.nat(10_000),
      reportersCount: fc.nat(10),
      staleCount: fc.nat(2),
      travelMs: fc.bigInt(0n, 2n * day),
    });
    const plan = {
      release: "2.0",
      releaseBasisPoints: 1000,
      arrivalBasisPoints: 5000,
      sitesMin: 3,
      goOnAfterMs: 4n * day,
    };
    fc.assert(
      fc.property(facts, fc.boolean(), (known, badBefore) => {
        if (decided({ plan, facts: known, badBefore }).decision !== "PROMOTE") return;
        const elapsedMs = known.nowMs - begun;
        expect(known.killed || known.basisPoints !== 500).toBe(false);
        expect(elapsedMs >= day && elapsedMs >= known.travelMs).toBe(true);
        expect(known.reportersCount >= 3 && known.staleCount === 0).toBe(true);
        expect(known.arrivalShare >= 5000 && known.releaseShare >= 1000).toBe(true);
        expect(["OK", "INSUFFICIENT"]).toContain(known.flagVerdict);
        expect(["OK", "INSUFFICIENT"]).toContain(known.releaseVerdict);
        if (known.flagVerdict === "INSUFFICIENT") expect(elapsedMs >= 4n * day).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});

test("a decision that was written down is told from one that was not taken so", () => {
  const rollout = create(RolloutSchema, {
    plan: create(RolloutPlanSchema, { steps }),
    state: "RUNNING",
    stepStartedMs: begun,
  });
  const facts = create(RolloutFactsSchema, { nowMs: begun, basisPoints: 500, flagVerdict: "BAD" });
  const right = { rollout, facts, decision: "HALT", reason: "the flag is bad" };
  expect(isReplayed(create(RolloutDecisionSchema, right))).toBe(true);
  expect(isReplayed(create(RolloutDecisionSchema, { ...right, decision: "WAIT" }))).toBe(false);
  expect(isReplayed(create(RolloutDecisionSchema, { ...right, reason: "a whim" }))).toBe(false);
  expect(isReplayed(create(RolloutDecisionSchema))).toBe(false);
});

describe("a plan", () => {
  const problemOf = (plan: PlanInit): string | undefined =>
    planProblem(create(RolloutPlanSchema, { steps, ...plan } as PlanInit), {
      basisPoints: 100,
      travelMs: 4 * hourMs,
    });

  test("is good when its steps rise and are long enough for documents", () => {
    expect(problemOf({})).toBeUndefined();
    expect(travelMs(create(RolloutPlanSchema), hourMs)).toBe(4 * hourMs);
    expect(travelMs(create(RolloutPlanSchema, { hops: 5 }), hourMs)).toBe(7 * hourMs);
  });

  test.each<[PlanInit, RegExp]>([
    [{ steps: [] }, /^plan\.steps: from 1 to 20/],
    [
      { steps: Array.from({ length: 21 }, (_, n) => ({ basisPoints: 200 + n, dwellMs: day })) },
      /^plan\.steps:/,
    ],
    [
      { steps: [{ basisPoints: 50, dwellMs: day }] },
      /^plan\.steps\[0\]\.basis_points: 0\.5 % is no step up from 1 %/,
    ],
    [
      { steps: [...steps, { basisPoints: 10_001, dwellMs: day }] },
      /^plan\.steps\[3\]\.basis_points: more/,
    ],
    [
      { steps: [{ basisPoints: 500, dwellMs: 1n }] },
      /^plan\.steps\[0\]\.dwell_ms: 1ms, and documents need 4h/,
    ],
    [
      { steps: [{ basisPoints: 500, dwellMs: 400n * day }] },
      /^plan\.steps\[0\]\.dwell_ms: more than a year/,
    ],
    [{ releaseBasisPoints: 1 }, /^plan\.release: missing/],
    [{ releaseBasisPoints: 10_001, release: "2.0" }, /^plan\.release_basis_points/],
    [{ arrivalBasisPoints: 10_001 }, /^plan\.arrival_basis_points/],
    [{ sitesMin: 1e6 }, /^plan\.sites_min/],
    [{ hops: 17 }, /^plan\.hops/],
    [{ goOnAfterMs: 400n * day }, /^plan\.go_on_after_ms/],
  ])("is refused by field: %#", (plan, problem) => {
    expect(problemOf(plan)).toMatch(problem);
  });
});
