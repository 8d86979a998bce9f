import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { type Rollout, RolloutSchema } from "../../../gen/headwater/v1/rollouts_pb.ts";
import { rolloutsCountMax } from "../../../relay/limits.ts";
import { Rollouts } from "../../../relay/rollout/rollouts.ts";

const steps = [{ basisPoints: 100, dwellMs: 1n }];
const begun = { project: "horizon", plan: { steps }, state: "RUNNING" };
const rolloutOf = (n: number, revision: bigint = 1n): Rollout =>
  create(RolloutSchema, { ...begun, flag: `f-${n}`, revision });

test("so many of another node are taken, in however many messages; those that are held go on", () => {
  const rollouts = new Rollouts(new Map());
  const hear = (...heard: Rollout[]): number => {
    const news = rollouts.heard(heard, () => true);
    for (const one of news) rollouts.accept(one);
    return news.length;
  };
  const most = Array.from({ length: rolloutsCountMax - 1 }, (_, n) => rolloutOf(n));
  expect(hear(...most)).toBe(rolloutsCountMax - 1);
  expect(hear(rolloutOf(-1), rolloutOf(-2), rolloutOf(0, 2n))).toBe(2);
  expect(rollouts.list("")).toHaveLength(rolloutsCountMax);
  expect(hear(rolloutOf(-2), rolloutOf(0, 3n))).toBe(1);
});
