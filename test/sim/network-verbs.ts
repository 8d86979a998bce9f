import { create } from "@bufbuild/protobuf";
import { ReplicateRequestSchema } from "../../gen/headwater/v1/mesh_pb.ts";
import { payloadType, seal } from "../../relay/trust/envelope.ts";
import { SigningKey } from "../../relay/trust/key.ts";
import { joinWith, seedOf } from "./mesh.ts";
import type { Scene } from "./scene.ts";
import { type Draw, pick, type Verbs } from "./verb.ts";

const linkIdOfStrangers = 1_000_000_000;

/** What happens between nodes. */
export const networkVerbs: Verbs = {
  cut: {
    weight: 8,
    draw: ({ relay }) => [relay()],
    run: ({ world }, [child = ""]) => {
      for (const link of linksOf(world, child)) {
        world.fault("cut");
        world.network.cut(link.id);
      }
    },
  },
  "half-open": {
    weight: 3,
    draw: ({ relay }) => [relay()],
    run: ({ world }, [child = ""]) => {
      for (const link of linksOf(world, child)) {
        world.fault("half-open");
        link.isDead = true;
      }
    },
  },
  stall: {
    weight: 4,
    draw: ({ relay, forMs }) => [relay(), forMs(25_000)],
    run: ({ world }, [child = "", forMs = "0"]) => {
      for (const link of linksOf(world, child)) {
        world.fault("stall");
        link.stalledUntilMs = world.nowMs + Number(forMs);
      }
    },
  },
  cancel: {
    weight: 2,
    draw: ({ relay, forMs }) => [relay(), forMs(10_000)],
    run: ({ world, later }, [child = "", afterMs = "0"]) => {
      for (const link of linksOf(world, child)) {
        link.stalledUntilMs = world.nowMs + 2 * Number(afterMs);
        later(Number(afterMs), () => {
          if (!link.childOpen) return;
          world.fault("cancel-in-write");
          world.network.cut(link.id);
        });
      }
    },
  },
  stampede: {
    weight: 2,
    draw: ({ random, layout }) => [pick(random, parentsIn(layout))],
    run: ({ world, gone }, [parent = ""]) => {
      world.fault("stampede");
      world.crash(parent);
      if (!gone.has(parent)) world.restart(parent);
    },
  },
  "open-and-die": {
    weight: 2,
    draw: ({ random, layout, forMs }) => [pick(random, parentsIn(layout)), forMs(40_000)],
    run: ({ world, later }, [parent = "", forMs = "0"]) => {
      world.network.dying.add(parent);
      for (const link of world.openLinks) if (link.parent === parent) world.network.cut(link.id);
      later(Number(forMs), () => world.network.dying.delete(parent));
    },
  },
  partition: {
    weight: 5,
    draw: (draw) => pairAnd(draw, draw.forMs(60_000)),
    run: (scene, [one = "", other = "", forMs = "0"]) => {
      scene.world.fault("partition");
      block(scene, [`${one}>${other}`, `${other}>${one}`], Number(forMs));
    },
  },
  "one-way": {
    weight: 4,
    draw: (draw) => pairAnd(draw, draw.forMs(60_000)),
    run: (scene, [one = "", other = "", forMs = "0"]) => {
      scene.world.fault("one-way-partition");
      block(scene, [`${one}>${other}`], Number(forMs));
    },
  },
  protocol: {
    weight: 2,
    draw: ({ random, relay, forMs }) => [relay(), pick(random, ["0", "1", "99"]), forMs(30_000)],
    run: ({ world, later }, [child = "", number = "1", forMs = "0"]) => {
      world.network.protocols.set(child, Number(number));
      for (const link of linksOf(world, child)) world.network.cut(link.id);
      later(Number(forMs), () => world.network.protocols.delete(child));
    },
  },
  "nats-down": {
    weight: 3,
    draw: ({ random, layout, forMs }) => [pick(random, layout.nodes).site, forMs(80_000)],
    run: ({ world, later }, [site = "", forMs = "0"]) => {
      world.fault("nats-down");
      world.fanout.setDown(site, true);
      later(Number(forMs), () => world.fanout.setDown(site, false));
    },
  },
  "nats-split": {
    weight: 2,
    draw: ({ random, layout, forMs }) => [pick(random, layout.nodes).name, forMs(60_000)],
    run: ({ world, later }, [name = "", forMs = "0"]) => {
      world.fault("nats-split");
      const node = world.get(name);
      node.isOnFanout = false;
      later(Number(forMs), () => {
        world.fanout.joinAgain(node);
      });
    },
  },
  twin: {
    weight: 2,
    draw: ({ random, layout, forMs }) => {
      const children = layout.nodes.filter(({ parents }) => parents.length === 1);
      return [pick(random, children).name, forMs(60_000), pick(random, ["same", "other"])];
    },
    run: (scene, [name = "", forMs = "0", id]) =>
      twin(scene, { name, forMs: Number(forMs), hasOwnId: id === "other" }),
  },
  flood: {
    weight: 1,
    draw: ({ random, layout }) => [pick(random, parentsIn(layout)), String(50 + random.below(100))],
    run: (scene, [parent = "", count = "0"]) => flood(scene, parent, Number(count)),
  },
};

function linksOf(world: Scene["world"], child: string): Scene["world"]["openLinks"] {
  return world.openLinks.filter((link) => link.child === child);
}

function parentsIn(layout: Draw["layout"]): string[] {
  return [...new Set(layout.nodes.flatMap(({ parents }) => parents))];
}

function pairAnd({ random, layout }: Draw, forMs: string): string[] {
  const child = pick(
    random,
    layout.nodes.filter(({ parents }) => parents.length > 0),
  );
  const pair = [child.name, pick(random, child.parents)];
  return [...(random.below(2) === 0 ? pair : pair.reverse()), forMs];
}

function block({ world, later }: Scene, directions: readonly string[], forMs: number): void {
  for (const one of directions) world.network.blocked.add(one);
  later(forMs, () => directions.forEach((one) => world.network.blocked.delete(one)));
}

/** A copy of a node's machine, or another node with its name and its token. */
function twin(scene: Scene, of: { name: string; forMs: number; hasOwnId: boolean }): void {
  const { world, checks } = scene;
  const { name, forMs, hasOwnId } = of;
  const copy = `${name}-twin`;
  if (world.nodes.has(copy)) return;
  world.fault("twin");
  checks.excused.add(copy);
  const { site, nodeId: known, disclosure } = world.get(name).settings;
  const nodeId = hasOwnId ? Buffer.from("another.") : known;
  const node = world.add(copy, { site, nodeId, disclosure, name });
  node.isOnFanout = false;
  scene.gone.add(copy);
  for (const token of scene.tokens.get(name)?.values() ?? []) joinWith(world, copy, token);
  scene.later(forMs, () => world.crash(copy));
}

/** Strangers without a token, or with one that this site never gave out. */
function flood(scene: Scene, parent: string, count: number): void {
  const { world, checks } = scene;
  if (!scene.isUp(parent)) return;
  const before = childrenOf(scene, parent);
  const key = new SigningKey(seedOf("a stranger's site"));
  const forged = seal({ type: payloadType.credential, payload: new Uint8Array(8), keys: [key] });
  for (let at = 0; at < count; at++) {
    world.fault("flood");
    const link = linkIdOfStrangers + at;
    const credential = at % 2 === 0 ? undefined : forged;
    const request = create(ReplicateRequestSchema, { protocol: 1, site: "x", node: `n-${at}` });
    const peer = { by: "credential", credential } as const;
    world.tell(parent, { kind: "child-opened", link, peer, request });
  }
  if (!scene.isUp(parent)) return;
  const now = childrenOf(scene, parent);
  checks.hold(
    "I9",
    parent,
    now <= before,
    () => `strangers are served: ${now} children, before ${before}`,
  );
}

function childrenOf({ world }: Scene, parent: string): number {
  return world.get(parent).node.reads.status(world.now).children.length;
}
