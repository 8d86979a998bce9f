import { expect, test } from "vitest";
import { censusAnswers } from "../../relay/telemetry/census/census-answer.ts";
import { type FaultKind, faultKinds } from "./fault-kinds.ts";
import { commitFlags, initProject, joinNodes, valueOf } from "./mesh.ts";
import { type PromiseId, promises } from "./promises.ts";
import { runSeed } from "./run.ts";
import { shrink } from "./shrink.ts";
import { parseStory, storyText } from "./story.ts";
import { drawStory } from "./story-draw.ts";
import { World } from "./world.ts";

/** Seeds of each test run; `npm run sim` runs more. */
const seedsCount = 320;
const batchesCount = 16;

/** For what hangs: a batch takes a second or two on an idle machine. */
const batchDeadlineMs = 600_000;

test("a change at the root reaches a site two hops below, and stays when the vendor is gone", () => {
  const world = new World(1);
  for (const [name, site] of [
    ["root", "upstream"],
    ["vendor", "vendor"],
    ["site", "site"],
  ] as const)
    world.add(name, { site });
  initProject(world, "root", "horizon");
  joinNodes(world, "root", "vendor");
  world.run(5_000);
  joinNodes(world, "vendor", "site");
  world.run(5_000);
  valueOf(commitFlags(world, "root", "horizon", [{ name: "new-scheduler", basisPoints: 10_000 }]));
  world.run(1_000);
  const evaluate = () =>
    world
      .get("site")
      .node.reads.evaluate(
        { project: "horizon", flag: "new-scheduler", instance: "i-1", version: "1.0" },
        world.now.wallMs,
      );
  expect(evaluate()).toEqual({ enabled: true, reason: "FULL", freshness: "FRESH" });

  world.crash("vendor");
  world.run(60_000);
  expect(evaluate().enabled).toBe(true);
});

/** What all seeds of this file came to. */
const fired = new Set<FaultKind>();
const looked = new Set<PromiseId>();
const answersAtRoot = { UNUSED: 0, UNKNOWN: 0, USED: 0 };

test.each(
  Array.from({ length: batchesCount }, (_, batch) => {
    const size = seedsCount / batchesCount;
    return { from: 1 + batch * size, to: (batch + 1) * size };
  }),
)(
  "seeds $from to $to keep every promise",
  ({ from, to }) => {
    for (let seed = from; seed <= to; seed++) {
      const { broken, story, faults, checks, census } = runSeed(seed);
      const text =
        broken && `${broken.message}\n\n${storyText(story)}\n\nnpm run sim -- --seed ${seed}`;
      expect(text).toBeUndefined();
      for (const kind of faults.keys()) fired.add(kind);
      for (const promise of checks.keys()) looked.add(promise);
      for (const answer of censusAnswers) answersAtRoot[answer] += census.root[answer];
    }
  },
  batchDeadlineMs,
);

test("those seeds brought about every kind of fault, and looked at every promise", () => {
  const kinds = Object.keys(faultKinds) as FaultKind[];
  expect(kinds.filter((kind) => !fired.has(kind))).toEqual([]);
  const ids = Object.keys(promises) as PromiseId[];
  expect(ids.filter((id) => !looked.has(id))).toEqual([]);
});

test("those seeds had censuses that said each answer at the root", () => {
  expect(Object.values(answersAtRoot).filter((count) => count === 0)).toEqual([]);
});

test("promises about flags are kept with telemetry off at every node", () => {
  for (let seed = 1; seed <= 12; seed++) {
    const { broken, story } = runSeed(seed, "OFF");
    const text = broken && `${broken.message}\n\n${storyText(story)}`;
    expect(text).toBeUndefined();
  }
});

test("a seed repeats exactly", () => {
  const [one, again] = [runSeed(7), runSeed(7)];
  expect(again.log).toEqual(one.log);
  expect(again.faults).toEqual(one.faults);
});

test.each([1, 2, 3, 4, 5])("the text of story %i is the story", (seed) => {
  const text = storyText(drawStory(seed));
  expect(storyText(parseStory(text))).toBe(text);
});

test("a story that keeps its promises is not shrunk", () => {
  const story = drawStory(7);
  expect(shrink({ story, promise: "I1", triesMax: 3 })).toBe(story);
});
