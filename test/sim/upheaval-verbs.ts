import type { Scene } from "./scene.ts";
import type { Verbs } from "./verb.ts";

/** What is drawn together, as each alone shows little: roots that few know of, and a second overlay. */
export const upheavalVerbs: Verbs = {
  /** The next root is signed, and told to one node alone. */
  "rotate-at": {
    weight: 0,
    draw: () => undefined,
    run: (scene, [node = ""]) => rotateAt(scene, node),
  },
  /** A rule of the mirror's overlay. */
  "mirror-rule": {
    weight: 0,
    draw: () => undefined,
    run: (scene, [name = "", says = ""]) => scene.mirrorRule(name, says),
  },
};

function rotateAt(scene: Scene, node: string): void {
  if (!scene.isUp(node)) return;
  scene.keys.rotate(() => true);
  scene.world.fault("rotation");
  scene.publishTrust(node);
}
