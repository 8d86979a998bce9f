import { expect, test } from "vitest";
import { minuteMs } from "../../relay/cadence.ts";
import { initProject, joinNodes } from "../sim/mesh.ts";
import { World } from "../sim/world.ts";

/** Each prefers the way through the other to the one from the root that it has as well. */
function circle(seed: number): World {
  const world = new World(seed);
  for (const site of ["root", "away", "one", "other"]) world.add(site, { site });
  initProject(world, "root", "horizon");
  const joins = [
    ["root", "away"],
    ["away", "other"],
    ["other", "one"],
    ["root", "one"],
    ["one", "other"],
    ["root", "other"],
  ] as const;
  for (const [parent, child] of joins) {
    joinNodes(world, parent, child);
    world.run(minuteMs);
  }
  world.crash("away");
  return world;
}

test.each([1, 2, 3])(
  "nodes of a circle that start at one moment settle on their ways within minutes (seed %i)",
  (seed) => {
    const world = circle(seed);
    let told: number[] = [];
    let unsettledCount = 0;
    world.observer.logged = (_, event) => {
      if (event === "way-unsettled") unsettledCount++;
    };
    world.observer.stepping = (event) => {
      if (event.kind !== "upstream-frame" || event.frame.frame.case !== "offer") return;
      told.push(world.now.monoMs);
      if (told.length > 1_000) throw new Error("they tell each other for ever");
    };
    for (let run = 0; run < 10; run++) {
      told = [];
      const startMonoMs = world.now.monoMs;
      for (const node of ["one", "other"]) world.crash(node);
      for (const node of ["one", "other"]) world.restart(node);
      world.run(20 * minuteMs);
      expect(Math.max(...told) - startMonoMs).toBeLessThan(3 * minuteMs);
    }
    expect(unsettledCount).toBeGreaterThan(0);
  },
);
