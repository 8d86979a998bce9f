import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { RolloutPlanSchema } from "../../../gen/headwater/v1/rollouts_pb.ts";
import { rolloutStepsMax } from "../../../relay/limits.ts";
import { planProblem } from "../../../relay/rollout/plan.ts";

test("a plan has so many steps at most", () => {
  const problemOf = (count: number): string | undefined => {
    const steps = Array.from({ length: count }, (_, n) => ({ basisPoints: n + 1, dwellMs: 1n }));
    return planProblem(create(RolloutPlanSchema, { steps }), { basisPoints: 0, travelMs: 0 });
  };
  expect(problemOf(0)).toMatch(/^plan\.steps: /);
  expect(problemOf(rolloutStepsMax)).toBeUndefined();
  expect(problemOf(rolloutStepsMax + 1)).toBe("plan.steps: from 1 to 20 of them");
});
