import { create } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { LedgerNameSchema, type Trust, TrustSchema } from "../../../gen/headwater/v1/ledger_pb.ts";
import { staleAfterMs } from "../../../relay/cadence.ts";
import { deltaSince } from "../../../relay/ledger/delta.ts";
import { signHead } from "../../../relay/ledger/head.ts";
import { sequenceMax } from "../../../relay/limits.ts";
import { toHex } from "../../../relay/trust/key.ts";
import { joinNodes } from "../../sim/mesh.ts";
import {
  Authority,
  keyOf,
  type Power,
  refusalOf,
  sealedRoot,
  seedOf,
  valueOf,
} from "../authority.ts";
import { nextTrust, powersOf, project, Scene, settleMs } from "../succession-scene.ts";

describe("new roots and grants", () => {
  test("are durable, go downstream, and are told apart from what was held", () => {
    const scene = new Scene();
    const trust = nextTrust(scene.authority, powersOf(scene.authority, [1, 2]));
    expect(valueOf(scene.update("root", trust))).toMatchObject({
      changed: true,
      rootVersion: 2,
      grantsCount: 3,
    });
    expect(valueOf(scene.update("root", trust))).toMatchObject({ changed: false });
    scene.world.run(settleMs);
    scene.world.crash("vendor");
    scene.world.restart("vendor");
    const held = scene.world.get("vendor").node.reads.trust({ ...scene.name });
    expect(valueOf(held).trust?.roots).toEqual(trust.roots);
    expect(scene.commit("root", "a")).toBe("");
    scene.world.run(settleMs);
    expect(scene.at("vendor")).toBe("1.2");
  });

  test.each<[string, (authority: Authority) => Trust, RegExp]>([
    ["another authority's", () => new Authority({ name: "other" }).trust, /^forbidden: roots: /],
    [
      "a root that the old keys have not signed",
      ({ root }) => {
        const key = keyOf("thief");
        const next = sealedRoot({ project, version: 2, keys: [key], signers: [key] });
        return create(TrustSchema, { roots: [root, next] });
      },
      /^forbidden: roots: version 2 is not signed by 1 keys of version 1/,
    ],
    [
      "a root under which nobody could write",
      (authority) => nextTrust(authority, powersOf(authority, [])),
      /^invalid: grants: none for a ledger key of term 1 or later/,
    ],
    [
      "a root under which nobody could beat",
      (authority) => nextTrust(authority, powersOf(authority, [1]).slice(0, 1)),
      /^invalid: grants: none for a beat key/,
    ],
  ])("are refused: %s", (_, trust, why) => {
    const scene = new Scene();
    const outcome = scene.update("root", trust(scene.authority));
    expect(refusalOf(outcome)).toMatch(why);
    const held = valueOf(scene.world.get("root").node.reads.trust({ ...scene.name }));
    expect(held.trust).toEqual(scene.authority.trust);
  });

  test("that are fewer than what is held take nothing away", () => {
    const scene = new Scene();
    const { root, trust } = scene.authority;
    for (const fewer of [{}, { roots: [root] }, { roots: [root], grants: trust.grants.slice(1) }])
      expect(valueOf(scene.update("root", create(TrustSchema, fewer)))).toMatchObject({
        changed: false,
        grantsCount: 2,
      });
  });

  test("that end a writer's grant stop it, here and below, and the node says so", () => {
    const scene = new Scene();
    valueOf(scene.update("vendor", nextTrust(scene.authority, powersOf(scene.authority, [2]))));
    expect(scene.commit("root", "a")).toBe("");
    scene.world.run(settleMs);
    expect(scene.at("vendor")).toBe("1.1");
    expect(scene.problems("vendor")).toMatch(/no grant for a ledger key of term 1/);
    valueOf(scene.update("root", nextTrust(scene.authority, powersOf(scene.authority, [2]))));
    expect(scene.commit("root", "b")).toMatch(
      /^forbidden: grants: none for this node's ledger key/,
    );
    expect(scene.problems("root")).toMatch(/horizon can not be written here any more/);
  });
});

describe("what lost its grant", () => {
  test("as a beat key: nobody is sent its beats, and nobody hangs up", () => {
    const { authority, world, update, ...scene } = sceneWithSite();
    const logged = world.log.length;
    const powers = powersOf(authority, [1]).slice(0, 1);
    const beatKey: Power = { case: "beatKey", value: { key: keyOf("new beat").publicKey } };
    valueOf(update(nextTrust(authority, [...powers, beatKey])));
    world.run(staleAfterMs + settleMs);
    world.cut(world.openLinks.find(({ child }) => child === "site")!.id);
    world.run(settleMs);
    expect(world.log.slice(logged).filter((line) => /frame-refused/.test(line))).toEqual([]);
    expect(scene.freshness("site")).toBe("STALE");
    expect(scene.freshness("root")).toBe("STALE");
  });

  test("as a ledger key: its head stays where it is, and comes to nobody anew", () => {
    const { authority, world, update, ...scene } = sceneWithSite();
    valueOf(update(nextTrust(authority, powersOf(authority, [2]))));
    world.run(settleMs);
    world.add("late", { site: "late" });
    joinNodes(world, "vendor", "late");
    world.run(settleMs);
    expect(scene.freshness("late")).toBe("EMPTY");
    expect(scene.freshness("site")).not.toBe("EMPTY");
    expect(world.log.filter((line) => /frame-refused/.test(line))).toEqual([]);
  });

  test("as a ledger key whose term another has: its head comes to nobody anew either", () => {
    const { authority, world, update, ...scene } = sceneWithSite();
    const key = keyOf("machine in CI").publicKey;
    const [, beat] = powersOf(authority, [1]);
    valueOf(update(nextTrust(authority, [{ case: "ledgerKey", value: { term: 1, key } }, beat!])));
    world.run(settleMs);
    world.add("late", { site: "late" });
    joinNodes(world, "vendor", "late");
    world.run(settleMs);
    expect(world.log.filter((line) => /frame-refused|ledger-barred/.test(line))).toEqual([]);
    expect(scene.freshness("late")).toBe("EMPTY");
    expect(scene.freshness("site")).not.toBe("EMPTY");
  });

  function sceneWithSite() {
    const scene = new Scene();
    const { world, authority } = scene;
    world.add("site", { site: "plant" });
    joinNodes(world, "vendor", "site");
    world.run(settleMs);
    return {
      world,
      authority,
      update: (trust: Trust) => scene.update("root", trust),
      freshness: (node: string) => world.get(node).node.reads.freshness(project, world.now.wallMs),
    };
  }
});

test("a head outlives a restart where a new root has given its term to another key", () => {
  const scene = new Scene();
  const { world, authority } = scene;
  const key = keyOf("machine in CI").publicKey;
  const [, beat] = powersOf(authority, [1]);
  const powers = [{ case: "ledgerKey", value: { term: 1, key } } as const, beat!];
  valueOf(scene.update("root", nextTrust(authority, powers)));
  world.run(settleMs);
  for (const name of ["root", "vendor"]) {
    world.crash(name);
    world.restart(name);
    expect(world.get(name).node.reads.damaged()).toEqual([]);
    expect(scene.at(name)).toBe("1.1");
  }
});

describe("a promotion", () => {
  test("goes on with the same content in the next term, and survives a restart", () => {
    const scene = new Scene();
    expect(scene.commit("root", "a")).toBe("");
    scene.world.run(settleMs);
    scene.world.crash("root");
    scene.world.run(staleAfterMs + settleMs);
    const { previous, position } = valueOf(scene.promote("vendor", { term: 2 }));
    expect(previous).toMatchObject({ term: 1, seq: 2 });
    expect(position).toMatchObject({ term: 2, seq: 1 });
    expect(toHex(position!.digest)).toBe(toHex(previous!.digest));
    scene.world.crash("vendor");
    scene.world.restart("vendor");
    expect(scene.commit("vendor", "b")).toBe("");
    expect(scene.at("vendor")).toBe("2.2");
  });

  test("is followed by a child that stands at the greatest sequence of the old term", () => {
    const scene = new Scene();
    const thief = scene.stolen();
    const { authority, world } = scene;
    const hostile = signHead({
      ledger: thief.name,
      position: { term: 1, seq: sequenceMax, digest: thief.digest },
      previous: thief.head,
      entriesCount: 0,
      wallMs: world.now.wallMs,
      key: authority.writer.ledgerKey,
    });
    const previous = thief.position!;
    scene.tellVendor({
      case: "delta",
      value: { ledger: scene.name, previous, head: hostile.envelope },
    });
    expect(scene.at("vendor")).toBe(`1.${sequenceMax}`);
    const next = nextTrust(authority, powersOf(authority, [1, 2]));
    valueOf(scene.update("root", next));
    world.run(settleMs);
    const held = valueOf(world.get("vendor").node.reads.trust({ ...scene.name }));
    expect(held.trust?.roots).toEqual(next.roots);
    const force = true;
    expect(refusalOf(scene.promote("root", { term: 2, force }))).toMatch(/beat key/);
    const beatSeed = authority.writer.beatKey.seed;
    valueOf(scene.promote("root", { term: 2, beatSeed, force }));
    world.run(settleMs);
    expect([scene.at("root"), scene.at("vendor")]).toEqual(["2.1", "2.1"]);
    expect(scene.commit("root", "a")).toBe("");
    world.run(settleMs);
    expect(scene.at("vendor")).toBe("2.2");
  });

  test("leaves nothing for the old key to change", () => {
    const scene = new Scene();
    const thief = scene.stolen();
    const before = thief.position!;
    scene.authority.commit(thief, { "flag/hostile": new Uint8Array(0) }, scene.world.now.wallMs);
    valueOf(scene.promote("root", { term: 2 }));
    scene.world.run(settleMs);
    scene.tellVendor({ case: "delta", value: deltaSince(thief, before)! });
    expect(scene.at("vendor")).toBe("2.1");
    valueOf(scene.update("root", nextTrust(scene.authority, powersOf(scene.authority, [2]))));
    scene.world.run(settleMs);
    scene.tellVendor({ case: "delta", value: deltaSince(thief, before)! });
    expect(scene.problems("vendor")).toMatch(/no grant for a ledger key of term 1/);
    expect(scene.at("vendor")).toBe("2.1");
  });

  test.each<[string, string, Parameters<Scene["promote"]>[1], RegExp]>([
    ["while the writer is heard of", "vendor", { term: 2 }, /^conflict: ledger: the writer/],
    ["to a term past the next", "vendor", { term: 3, force: true }, /^conflict: term: 3 follows 2/],
    ["to the present term", "root", { term: 1 }, /^conflict: term: horizon is in term 1/],
    ["without a grant", "root", { term: 2, grants: [] }, /^forbidden: grants: none/],
    [
      "with another key than the granted one",
      "root",
      { term: 2, ledgerSeed: seedOf("other") },
      /^forbidden: grants: none for this node's ledger key/,
    ],
    ["with no key", "root", { term: 2, ledgerSeed: seedOf("x").subarray(1) }, /^invalid: ledger_/],
    [
      "with a grant that a stranger has signed",
      "root",
      { term: 2, grants: [new Authority({ name: "other" }).trust.grants[0]!] },
      /^invalid: grants: one of another authority/,
    ],
    [
      "of what is not held",
      "root",
      { term: 2, ledger: create(LedgerNameSchema, { project: "nova" }) },
      /^unknown: /,
    ],
  ])("is refused %s", (_, node, of, why) => {
    const scene = new Scene();
    expect(refusalOf(scene.promote(node, of))).toMatch(why);
    expect(scene.at(node)).toBe("1.1");
    expect(scene.commit("root", "a")).toBe("");
  });

  test("is refused with a grant that has expired", () => {
    const scene = new Scene();
    const { ledgerKey } = scene.authority.writerOf(2, "drawer");
    const power: Power = { case: "ledgerKey", value: { term: 2, key: ledgerKey.publicKey } };
    const expired = scene.authority.grant(power, scene.world.now.wallMs);
    const [, beat] = scene.grantsFor(2);
    const outcome = scene.promote("root", { term: 2, grants: [expired, beat!] });
    expect(refusalOf(outcome)).toMatch(/^forbidden: grants: none for this node's ledger key/);
  });

  test("skips a term when the grant says that it may", () => {
    const scene = new Scene();
    valueOf(scene.promote("root", { term: 3, follows: 1 }));
    scene.world.run(settleMs);
    expect(scene.at("vendor")).toBe("3.1");
  });

  test("with one grant at two nodes makes two histories, and who holds one refuses the other", () => {
    const scene = new Scene();
    valueOf(scene.promote("root", { term: 2 }));
    expect(scene.commit("root", "a")).toBe("");
    const other = new Scene();
    valueOf(other.promote("root", { term: 2 }));
    expect(other.commit("root", "b")).toBe("");
    scene.world.run(settleMs);
    const rival = other.stolen();
    const previous = scene.stolen("vendor").position!;
    expect(rival.position).toMatchObject({ term: 2, seq: 2 });
    scene.tellVendor({
      case: "delta",
      value: { ledger: scene.name, previous, head: rival.head!.envelope },
    });
    expect(scene.problems("vendor")).toMatch(/the authority has signed two histories/);
  });
});
