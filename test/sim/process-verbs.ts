import type { Bucket } from "../../relay/effect.ts";
import type { Backup } from "./memory-store.ts";
import { joinAgain } from "./operator-verbs.ts";
import type { Scene } from "./scene.ts";
import { pick, type Verbs } from "./verb.ts";

/** What SQLite would not notice and the core has to: all of it is signed. */
const signedBuckets: readonly Bucket[] = ["entry", "head", "trust", "beat", "history"];

/** Wrong by less than what nodes bear, and by more. */
const jumpsMs = [-240_000, -30_000, 30_000, 240_000, 900_000] as const;

/** What happens to processes, their disks and their clocks. */
export const processVerbs: Verbs = {
  crash: {
    weight: 10,
    draw: ({ node, forMs }) => [node(), forMs(40_000)],
    run: (scene, [name = "", forMs = "0"]) => {
      if (scene.world.get(name).isAlive) scene.world.fault("crash");
      crashFor(scene, name, Number(forMs));
    },
  },
  pause: {
    weight: 4,
    draw: ({ node, forMs }) => [node(), forMs(60_000)],
    run: ({ world }, [name = "", forMs = "0"]) => {
      world.fault("pause");
      world.pause(name, Number(forMs));
    },
  },
  full: {
    weight: 3,
    draw: ({ node, forMs }) => [node(), forMs(30_000)],
    run: ({ world, later }, [name = "", forMs = "0"]) => {
      const { store } = world.get(name);
      world.fault("disk-full");
      store.isFull = true;
      later(Number(forMs), () => {
        store.isFull = false;
      });
    },
  },
  wipe: {
    weight: 3,
    draw: ({ relay, forMs }) => [relay(), forMs(20_000)],
    run: (scene, [name = "", forMs = "0"]) => {
      if (isPrecious(scene, name)) return;
      scene.world.fault("restart-empty");
      lose(scene, name, new Map());
      comeBack(scene, name, Number(forMs));
    },
  },
  restore: {
    weight: 3,
    draw: ({ relay, forMs }) => [relay(), forMs(60_000)],
    run: (scene, [name = "", forMs = "0"]) => {
      if (isPrecious(scene, name)) return;
      const backup = scene.world.get(name).store.backup();
      scene.later(Number(forMs), () => {
        if (scene.hasEnded || isPrecious(scene, name)) return;
        scene.world.fault("restore-backup");
        lose(scene, name, backup);
        comeBack(scene, name, 1_000);
      });
    },
  },
  /** Its disk says that it has stored, and has not. */
  lie: {
    weight: 2,
    draw: ({ relay, forMs }) => [relay(), forMs(20_000)],
    run: (scene, [name = "", forMs = "0"]) => {
      if (isPrecious(scene, name)) return;
      const synced = scene.world.get(name).store.backup();
      scene.later(Number(forMs), () => {
        if (scene.hasEnded || isPrecious(scene, name)) return;
        scene.world.fault("lost-writes");
        lose(scene, name, synced);
        comeBack(scene, name, 500);
      });
    },
  },
  flip: {
    weight: 3,
    draw: ({ random, relay }) => [
      relay(),
      pick(random, signedBuckets),
      String(random.below(100_000)),
    ],
    run: (scene, [name = "", bucket = "", bit = "0"]) => {
      if (isPrecious(scene, name)) return;
      const { store } = scene.world.get(name);
      const keys = store.keys(bucket as Bucket);
      const key = keys[Number(bit) % Math.max(1, keys.length)];
      if (key === undefined) return;
      scene.world.fault("bit-flip");
      scene.world.crash(name);
      store.flip({ bucket: bucket as Bucket, key, bit: Number(bit) });
      scene.checks.forget(name);
      crashFor(scene, name, 1_000);
    },
  },
  jump: {
    weight: 3,
    draw: ({ random, node }) => [node(), String(pick(random, jumpsMs))],
    run: (scene, [name = "", byMs = "0"]) => setClock(scene, name, Number(byMs)),
  },
  "no-clock": {
    weight: 1,
    draw: ({ relay, forMs }) => [relay(), forMs(60_000)],
    run: (scene, [name = "", forMs = "0"]) => {
      const { world, checks } = scene;
      world.fault("no-clock");
      const node = world.get(name);
      node.clock.set(Number.NEGATIVE_INFINITY, world.nowMs);
      checks.skewMsMax = Number.POSITIVE_INFINITY;
      scene.later(Number(forMs), () => {
        node.clock.set(0, world.nowMs);
      });
    },
  },
};

/** A writer's disk has no second copy in the mesh: losing it is another story. */
function isPrecious(scene: Scene, name: string): boolean {
  return name === scene.writer || scene.writesOverlay(name);
}

function crashFor(scene: Scene, name: string, forMs: number): void {
  scene.world.crash(name);
  scene.later(forMs, () => {
    if (!scene.gone.has(name)) scene.world.restart(name);
  });
}

/** The process dies, and what is on its disk is something else. */
function lose(scene: Scene, name: string, backup: Backup): void {
  scene.world.crash(name);
  scene.world.get(name).store.restore(backup);
  scene.checks.forget(name);
}

function comeBack(scene: Scene, name: string, afterMs: number): void {
  const again = (): void => {
    scene.world.restart(name);
    joinAgain(scene, name);
  };
  scene.later(afterMs, again);
  scene.atEnd.push(again);
}

function setClock({ world, checks }: Scene, name: string, byMs: number): void {
  world.fault("clock-jump");
  world.get(name).clock.set(byMs, world.nowMs);
  checks.skewMsMax = Math.max(checks.skewMsMax, Math.abs(byMs));
}
