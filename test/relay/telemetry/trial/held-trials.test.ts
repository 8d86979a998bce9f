import { expect, test } from "vitest";
import { trialsCountMax } from "../../../../relay/limits.ts";
import { HeldTrials } from "../../../../relay/telemetry/trial/held-trials.ts";
import { Trial } from "../../../../relay/telemetry/trial/trial.ts";
import { epochMs } from "../../authority.ts";

const trialOf = (name: string): Trial =>
  Trial.begin({ project: "horizon", kind: "FLAG", name, startedMs: epochMs });

test("where there is no room for one more trial, it takes no time to find that out", () => {
  const held = new HeldTrials();
  const beganMs = performance.now();
  for (let n = 0; n < trialsCountMax + 1_000; n++) held.begin(trialOf(`flag-${n}`));
  expect(performance.now() - beganMs).toBeLessThan(600);
  expect(held.all).toHaveLength(trialsCountMax);
  held.begin(trialOf("flag-0"));
  held.drop(trialOf("flag-1"));
  held.drop(trialOf("flag-1"));
  for (const name of ["late-1", "late-2"]) held.begin(trialOf(name));
  expect(held.all).toHaveLength(trialsCountMax);
  expect(held.get(trialOf("late-1"))).toBeDefined();
  expect(held.get(trialOf("late-2"))).toBeUndefined();
});
