import { expect, test } from "vitest";
import { commitFlags, initProject, joinNodes, valueOf } from "./mesh.ts";
import { runSeed } from "./run.ts";
import { World } from "./world.ts";

test("a flag goes down three hops, and an empty parent deletes nothing", () => {
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

test.each(Array.from({ length: 40 }, (_, i) => i + 1))("seed %i keeps every promise", (seed) => {
  const { violations, log } = runSeed(seed);
  const story = violations.map(({ atMs, node, what }) => `${atMs} ${node}: ${what}`);
  if (story.length > 0) story.push("", ...log.slice(-40));
  expect(story).toEqual([]);
});

test("a seed repeats exactly", () => {
  expect(runSeed(7)).toEqual(runSeed(7));
});
