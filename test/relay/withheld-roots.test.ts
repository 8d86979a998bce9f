import { expect, test } from "vitest";
import { staleAfterMs } from "../../relay/cadence.ts";
import { valueOf } from "./authority.ts";
import { frameOf } from "./link/mirror.ts";
import { nextTrust, powersOf, project, Scene, settleMs } from "./succession-scene.ts";

test("new roots that a parent keeps to itself are missed by those below: data is STALE, and they say why", () => {
  const scene = new Scene();
  const { world, authority } = scene;
  world.network.cheats.set("root", (_, bytes) =>
    frameOf(bytes).case === "trustUpdate" ? [] : [bytes],
  );
  valueOf(scene.update("root", nextTrust(authority, powersOf(authority, [1]))));
  world.run(staleAfterMs + 2 * settleMs);
  const freshness = (): string =>
    world.get("vendor").node.reads.freshness(project, world.now.wallMs);
  expect(freshness()).toBe("STALE");
  expect(scene.problems("vendor")).toMatch(/its beat knows of root 2, and none after root 1/);
  world.network.cheats.clear();
  world.run(staleAfterMs + 2 * settleMs);
  expect(freshness()).toBe("FRESH");
  expect(scene.problems("vendor")).toBe("");
});
