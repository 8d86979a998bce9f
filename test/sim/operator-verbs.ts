import { create } from "@bufbuild/protobuf";
import { ReportRequestSchema } from "../../gen/headwater/v1/apps_pb.ts";
import { joinWith } from "./mesh.ts";
import { pinBasisPointsMax } from "./reference-fold.ts";
import { project, type Scene } from "./scene.ts";
import { pick, type Verbs } from "./verb.ts";

const flagsCount = 10;

/** As large as an entry may be, and of no meaning. */
const paddingBytes = 16_000;

const ruleEffects = ["cap", "kill", "pin"] as const;

/** What operators and apps do, right or wrong. */
export const operatorVerbs: Verbs = {
  change: {
    weight: 40,
    draw: ({ random }) => {
      const says = (): string => {
        const dice = random.below(12);
        if (dice < 2) return "gone";
        if (dice < 4) return "killed";
        return dice === 4 ? "newer" : String(random.below(101) * 100);
      };
      const names = new Set(
        Array.from({ length: 1 + random.below(3) }, () => random.below(flagsCount)),
      );
      return [...names].map((at) => `flag-${at}=${says()}`);
    },
    run: (scene, words) => {
      const changes = words.map((word) => {
        const [name = "", says = ""] = word.split("=");
        return { name, says };
      });
      if (changes.some(({ says }) => says === "newer")) scene.world.fault("not-understood");
      scene.change(changes);
    },
  },
  rule: {
    weight: 12,
    draw: ({ random, overlay }) => {
      if (overlay === "none") return undefined;
      const flag = random.below(6) === 0 ? "*" : `flag-${random.below(flagsCount)}`;
      const says =
        random.below(4) === 0 ? "gone" : String(random.below(pinBasisPointsMax / 100) * 100);
      return [`${pick(random, ruleEffects)}/${flag}`, says];
    },
    run: (scene, [name = "", says = ""]) => scene.rule(name, says),
  },
  pad: {
    weight: 2,
    draw: ({ random }) => [String(2 + random.below(12))],
    run: (scene, [count = "1"]) => {
      const value = new Uint8Array(paddingBytes).fill(0xff);
      const changes = Array.from({ length: Number(count) }, (_, at) => ({
        key: `feature/padding-${at}`,
        value: Object.assign(value.slice(), { 0: scene.random.below(256) }),
      }));
      scene.world.fault("not-understood");
      scene.commit(scene.writer, scene.ledger, changes);
    },
  },
  storm: {
    weight: 1,
    draw: ({ random }) => [random.below(12) === 0 ? "1100" : String(20 + random.below(60))],
    run: (scene, [count = "1"]) => {
      scene.world.fault("storm");
      for (let at = 0; at < Number(count); at++) {
        const dice = scene.random.below(121);
        const says = dice > 100 ? "gone" : String(dice * 100);
        scene.change([{ name: `flag-${at % flagsCount}`, says }]);
      }
    },
  },
  report: {
    weight: 12,
    draw: ({ random, relay }) => [
      relay(),
      String(1 + random.below(8)),
      pick(random, ["1.0.0", "1.1.0", "9.9.9"]),
    ],
    run: (scene, [node = "", count = "1", version = ""]) =>
      report(scene, node, Number(count), version),
  },
  rotate: {
    weight: 2,
    draw: ({ random }) => [String(1 + random.below(3))],
    run: (scene, [times = "1"]) => {
      for (let at = 0; at < Number(times); at++) scene.rotate(true);
    },
  },
  ungrant: {
    weight: 4,
    draw: ({ overlay }) => (overlay === "granted" ? [] : undefined),
    run: (scene) => {
      scene.rotate(false);
      scene.world.fault("ungranted");
      scene.world.fault("grant-ended");
    },
  },
  revoke: {
    weight: 2,
    draw: ({ layout, random, forMs }) => {
      const children = layout.nodes.filter(({ parents }) => parents.length > 0);
      return [pick(random, children).name, forMs(40_000)];
    },
    run: (scene, [child = "", forMs = "0"]) => revoke(scene, child, Number(forMs)),
  },
  expire: {
    weight: 0,
    draw: ({ layout, random }) => {
      const children = layout.nodes.filter(({ parents }) => parents.length > 0);
      const forMs = 1_000 + random.below(60_000);
      return [pick(random, children).name, String(forMs), String(random.below(60_000))];
    },
    run: (scene, [child = "", forMs = "0", laterMs = "0"]) =>
      expire(scene, { child, forMs: Number(forMs), laterMs: Number(laterMs) }),
  },
  loop: {
    weight: 1,
    draw: ({ layout, random }) => {
      const below = layout.nodes.filter(({ parents }) => parents.includes("vendor"));
      return [pick(random, below).name, "vendor"];
    },
    run: (scene, [parent = "", child = ""]) => {
      scene.world.fault("loop");
      scene.join(parent, child);
    },
  },
};

function report(scene: Scene, node: string, count: number, version: string): void {
  if (!scene.isUp(node)) return;
  const { site } = scene.world.get(node).settings;
  for (let at = 0; at < count; at++) {
    const instance = `${site}-${at}`;
    const health = scene.random.below(4) === 0 ? "FAILED" : "OK";
    const message = create(ReportRequestSchema, { project, version, health, instance });
    scene.checks.reported(node, message);
    scene.world.ask(node, (call) => ({ kind: "report", call, report: message }));
  }
}

/** The token ends; the operator gives a new one after a while, or when all is over. */
function revoke(scene: Scene, child: string, forMs: number): void {
  const { world, checks } = scene;
  const [parent] = scene.parentsOf(child);
  if (parent === undefined || !scene.isUp(parent)) return;
  const name = world.get(child).settings.site;
  const outcome = world.ask(parent, (call) => ({ kind: "revoke-child", call, name }));
  if (outcome?.ok === false) return;
  // Where no answer came it may be revoked all the same.
  scene.atEnd.push(() => rejoin(scene, parent, name));
  if (outcome === undefined) return;
  world.fault("revoked-token");
  const isServed = (): boolean =>
    world.network.links.some(
      (link) =>
        link.parentOpen && link.parent === parent && world.get(link.child).settings.site === name,
    );
  checks.hold("I15", parent, !isServed(), () => `${name} is revoked, and served`);
  scene.later(forMs, () => rejoin(scene, parent, name));
}

/** From the end of a token to that of the link which it has opened, with all that delays a step. */
const endedMsMax = 15_000;

/** A token that ends by itself; the operator gives a new one some time after, or when all is over. */
function expire(scene: Scene, of: { child: string; forMs: number; laterMs: number }): void {
  const { world, checks } = scene;
  const { child, forMs, laterMs } = of;
  const [parent] = scene.parentsOf(child);
  if (parent === undefined || !scene.isUp(parent) || !scene.isUp(child)) return;
  const { settings } = world.get(child);
  const tokenOf = () => scene.tokens.get(child)?.get(parent);
  const openLinks = () =>
    world.network.links.filter(
      (link) => link.parentOpen && link.parent === parent && link.child === child,
    );
  const [former, before] = [tokenOf(), new Set(openLinks())];
  const isTaken = scene.join(parent, child, world.momentOf(world.get(parent)).wallMs + forMs);
  const token = tokenOf();
  if (token === former) return;
  world.fault("expired-token");
  scene.later(forMs, () => {
    if (tokenOf() !== token) return;
    // A link of before has the former token, and the parent may not have noticed that it is gone.
    const opened = new Set(openLinks().filter((link) => !before.has(link)));
    scene.later(endedMsMax, () => {
      // A child whose disk has failed then shows the one before.
      if (!isTaken || !scene.isUp(parent) || checks.skewMsMax > 0) return;
      const isServed = openLinks().some((link) => opened.has(link));
      checks.hold("I15", parent, !isServed, () => `${child} has a token no more, and is served`);
    });
  });
  scene.later(forMs + endedMsMax + laterMs, () => rejoin(scene, parent, settings.site));
  scene.atEnd.push(() => rejoin(scene, parent, settings.site));
}

/** New tokens for all nodes of a site that had one of this parent's. */
function rejoin(scene: Scene, parent: string, site: string): void {
  for (const { name } of scene.standing)
    if (
      scene.world.get(name).settings.site === site &&
      scene.tokens.get(name)?.has(parent) === true
    )
      scene.join(parent, name);
}

/** Joins a node to its parents again with what its operator has kept. */
export function joinAgain(scene: Scene, child: string): void {
  if (!scene.isUp(child)) return;
  for (const token of scene.tokens.get(child)?.values() ?? []) joinWith(scene.world, child, token);
}
