import { expect, test } from "vitest";
import { trialsCountMax } from "../../../../relay/limits.ts";
import { HeldTrials } from "../../../../relay/telemetry/trial/held-trials.ts";
import { Trial } from "../../../../relay/telemetry/trial/trial.ts";
import { epochMs } from "../../authority.ts";
import { growth } from "../../growth.ts";

const trialOf = (name: string): Trial =>
  Trial.begin({ project: "horizon", kind: "FLAG", name, startedMs: epochMs });

/** As many as there may be are begun, and so many more. */
function fullOf(moreCount: number): HeldTrials {
  const held = new HeldTrials();
  for (let n = 0; n < trialsCountMax + moreCount; n++) held.begin(trialOf(`flag-${n}`));
  return held;
}

test("where there is no room for one more trial, it takes no time to find that out", () => {
  const times = growth({ few: 50, many: 1_000 }, (count) => {
    const held = fullOf(count);
    const more = Array.from({ length: count }, (_, n) => trialOf(`more-${n}`));
    return () => {
      for (const trial of more) held.begin(trial);
    };
  });
  expect(times).toBeLessThan(80);
});

test("no more trials are held than may be, and one makes room when it is dropped", () => {
  const held = fullOf(1_000);
  expect(held.all).toHaveLength(trialsCountMax);
  held.begin(trialOf("flag-0"));
  held.drop(trialOf("flag-1"));
  held.drop(trialOf("flag-1"));
  for (const name of ["late-1", "late-2"]) held.begin(trialOf(name));
  expect(held.all).toHaveLength(trialsCountMax);
  expect(held.get(trialOf("late-1"))).toBeDefined();
  expect(held.get(trialOf("late-2"))).toBeUndefined();
});
