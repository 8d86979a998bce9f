import { calm } from "./faults.ts";
import type { Scene } from "./scene.ts";

/** All faults end, and whoever was away comes back. */
export function heal(scene: Scene): void {
  const { world } = scene;
  world.faults = calm;
  scene.hasEnded = true;
  const { network, calls } = world;
  const { blocked, cheats, protocols, dying } = network;
  for (const one of [blocked, cheats, protocols, dying, calls.misreports]) one.clear();
  for (const link of network.links) link.stalledUntilMs = 0;
  for (const { site } of scene.layout.nodes) world.fanout.setDown(site, false);
  for (const node of world.nodes.values()) {
    node.clock.set(0, world.nowMs);
    node.store.isFull = false;
    if (!node.isOnFanout && !scene.checks.excused.has(node.name)) world.fanout.joinAgain(node);
    if (node.pausedUntilMs > world.nowMs) {
      node.pausedUntilMs = world.nowMs;
      world.pause(node.name, 0);
    }
    if (scene.gone.has(node.name)) world.crash(node.name);
    else world.restart(node.name);
  }
}
