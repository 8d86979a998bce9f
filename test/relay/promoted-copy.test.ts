import { expect, test } from "vitest";
import { copyWaitMs } from "../../relay/cadence.ts";
import { copyMark } from "../../relay/old-copy.ts";
import { valueOf } from "./authority.ts";
import { Scene } from "./succession-scene.ts";

/** A root on a copy of its data, whose operator goes on at once in a new term. */
function promoted(): Scene {
  const scene = new Scene();
  start(scene, "2026-01-01T00:00:00Z");
  expect(scene.commit("root", "c")).toMatch(/runs on a copy of 2026-01-01T00:00:00Z/);
  valueOf(scene.promote("root", { term: 2, force: true }));
  return scene;
}

/** Starts the root on a copy of what it has, made at some time. */
function start({ world }: Scene, madeAt: string): void {
  world.crash("root");
  world.get("root").store.write([{ ...copyMark, value: Buffer.from(madeAt) }]);
  world.restart("root");
}

test("a promotion by force on a copy holds over a restart within the wait", () => {
  const scene = promoted();
  const { world } = scene;
  world.crash("root");
  world.restart("root");
  expect(scene.commit("root", "c")).toBe("");
  expect(scene.problems("root")).not.toMatch(/runs on a copy/);
  world.run(copyWaitMs);
  expect(world.get("root").store.keys("node")).toEqual([]);
  expect(scene.at("vendor")).toBe("2.2");
});

test("it does not hold on another copy that was made meanwhile", () => {
  const scene = promoted();
  start(scene, "2026-01-01T00:02:00Z");
  expect(scene.commit("root", "c")).toMatch(/runs on a copy of 2026-01-01T00:02:00Z/);
});
