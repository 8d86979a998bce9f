import { afterAll, beforeAll, expect, test } from "vitest";
import { fillBulk, hostileCases, playHostile } from "./hostile-children.ts";
import { Scene } from "./scene.ts";

let scene: Scene;

beforeAll(async () => {
  scene = await Scene.open();
  await fillBulk(scene);
});
afterAll(async () => scene?.[Symbol.asyncDispose]());

test.each(hostileCases.map((one, n) => [one.name, one, n] as const))(
  "%s: told so, and honest children are served meanwhile",
  async (_, hostile, n) => {
    const outcome = await playHostile(scene, hostile, n);
    expect(outcome.told).toMatch(hostile.told);
    // Far above what any of it needs; what is not bounded at all goes past it.
    expect(outcome.memoryGrowthBytes ?? 0).toBeLessThan(400 * 1024 * 1024);
    expect(scene.breaches).toEqual([]);
  },
);
