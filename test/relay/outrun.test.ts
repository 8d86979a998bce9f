import { create } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import {
  type ConfirmRequest,
  ConfirmRequestSchema,
  type LedgerProof,
} from "../../gen/headwater/v1/mesh_pb.ts";
import { copyWaitMs } from "../../relay/cadence.ts";
import type { StoredRecord } from "../../relay/durable.ts";
import type { Write } from "../../relay/effect.ts";
import { copyMark } from "../../relay/old-copy.ts";
import { joinNodes } from "../sim/mesh.ts";
import { refusalOf, valueOf } from "./authority.ts";
import { nextTrust, powersOf, project, Scene, settleMs } from "./succession-scene.ts";

/** The root is gone, the vendor below it has gone on in the next term. */
function succeeded(): Scene {
  const scene = new Scene();
  const { world } = scene;
  expect(scene.commit("root", "a")).toBe("");
  world.run(settleMs);
  world.crash("root");
  valueOf(scene.promote("vendor", { term: 2, force: true }));
  expect(scene.commit("vendor", "b")).toBe("");
  world.run(settleMs);
  return scene;
}

const keysOf = (scene: Scene): string[] =>
  [...scene.world.get("root").store.load()].flatMap(({ bucket, key }) =>
    bucket === "key" ? key : [],
  );

describe("a former writer that comes back with its old data", () => {
  test("stops for good once a child shows it the new term, and says what to do", () => {
    const scene = succeeded();
    const { world } = scene;
    world.restart("root");
    world.run(settleMs);
    // What it has missed, the child gives back.
    expect(scene.at("root")).toBe("2.2");
    expect(scene.commit("root", "c")).toMatch(/^forbidden: ledger: horizon is not written at/);
    expect(keysOf(scene)).toEqual([]);
    expect(scene.problems("root")).toMatch(/horizon is written elsewhere.*no upstream.*join/);
    expect(world.log.filter((line) => /writer-retired/.test(line))).toHaveLength(1);
    world.crash("root");
    world.restart("root");
    world.run(settleMs);
    expect(scene.commit("root", "c")).toMatch(/^forbidden: /);
    expect(scene.at("vendor")).toBe("2.2");
  });

  test("follows whoever writes now once it has joined it, and never beats or writes again", () => {
    const scene = succeeded();
    const { world } = scene;
    world.restart("root");
    joinNodes(world, "vendor", "root");
    world.run(settleMs);
    expect(scene.at("root")).toBe("2.2");
    expect(scene.commit("root", "c")).toMatch(/^forbidden: ledger: horizon is not written at/);
    expect(scene.commit("vendor", "d")).toBe("");
    world.run(settleMs);
    expect(scene.at("root")).toBe("2.3");
    const { node } = world.get("root");
    expect(node.reads.freshness(project, world.now.wallMs)).toBe("FRESH");
    expect(node.reads.status(world.now).projects[0]!.layers[0]).toMatchObject({
      writable: false,
      primary: "acme",
    });
    world.crash("root");
    world.restart("root");
    world.run(settleMs);
    expect(scene.at("root")).toBe("2.3");
    expect(keysOf(scene)).toEqual([]);
  });

  test("needs nothing new when the two had joined each other beforehand", () => {
    const scene = new Scene();
    const { world } = scene;
    joinNodes(world, "vendor", "root");
    world.run(settleMs);
    expect(scene.commit("root", "a")).toBe("");
    world.run(settleMs);
    expect(scene.at("vendor")).toBe("1.2");
    // While it writes, what comes back to it through others is not its upstream.
    const { layers } = world.get("root").node.reads.status(world.now).projects[0]!;
    expect(layers[0]).toMatchObject({ writable: true, primary: "" });
    world.crash("root");
    valueOf(scene.promote("vendor", { term: 2, force: true }));
    world.run(settleMs);
    world.restart("root");
    world.run(settleMs);
    expect(scene.at("root")).toBe("2.1");
    expect(scene.problems("root")).not.toMatch(/older copy|written elsewhere|upstream/);
  });

  test("can write again in a later term, by a promotion of its own", () => {
    const scene = succeeded();
    const { world } = scene;
    world.restart("root");
    joinNodes(world, "vendor", "root");
    world.run(settleMs);
    valueOf(scene.promote("root", { term: 3, force: true }));
    world.run(settleMs);
    expect(scene.at("vendor")).toBe("3.1");
    expect(scene.commit("vendor", "e")).toMatch(/^forbidden: /);
    expect(scene.commit("root", "e")).toBe("");
  });
});

describe("a writer that was restored from an older copy", () => {
  /** The vendor is at 1.3, the root at 1.1 again; a backup carries a mark. */
  function restored(mark: readonly StoredRecord[] = []): Scene {
    const scene = new Scene();
    const { world } = scene;
    const backup = [...world.get("root").store.load()];
    for (const name of ["a", "b"]) expect(scene.commit("root", name)).toBe("");
    world.run(settleMs);
    expect(scene.at("vendor")).toBe("1.3");
    world.crash("root");
    restore(scene, [...backup, ...mark]);
    world.restart("root");
    return scene;
  }

  test("of which it knows signs nothing until its children had time to come back", () => {
    const scene = restored([{ ...copyMark, value: Buffer.from("2026-01-01T00:00:00Z") }]);
    const { world } = scene;
    for (const { id } of world.openLinks) world.cut(id);
    const waits = /runs on a copy of 2026-01-01T00:00:00Z, and waits another \d+ s for what/;
    expect(scene.commit("root", "c")).toMatch(waits);
    expect(refusalOf(scene.promote("root", { term: 2 }))).toMatch(waits);
    expect(scene.problems("root")).toMatch(waits);
    world.run(copyWaitMs - 1_000);
    expect(scene.at("root")).toBe("1.3");
    expect(scene.commit("root", "c")).toMatch(waits);
    world.run(2_000);
    expect(scene.commit("root", "c")).toBe("");
    expect(scene.problems("root")).not.toMatch(waits);
    expect(world.log.filter((line) => line.includes("old-copy"))).toHaveLength(1);
    // What it keeps from now on is its own: no wait at the next start.
    world.crash("root");
    world.restart("root");
    expect(scene.commit("root", "d")).toBe("");
    world.run(settleMs);
    expect(scene.at("vendor")).toBe("1.5");
  });

  test("goes on at once where its operator says so, in a new term", () => {
    const scene = restored([{ ...copyMark, value: Buffer.from("2026-01-01T00:00:00Z") }]);
    const { world } = scene;
    for (const { id } of world.openLinks) world.cut(id);
    valueOf(scene.promote("root", { term: 2, force: true }));
    expect(scene.commit("root", "c")).toBe("");
    expect(scene.problems("root")).not.toMatch(/runs on a copy/);
    world.run(settleMs);
    expect(scene.at("vendor")).toBe("2.2");
  });

  test("gets back from its children what it has lost, and goes on from there", () => {
    const scene = restored();
    const { world } = scene;
    world.run(settleMs);
    expect(scene.at("root")).toBe("1.3");
    expect(scene.problems("root")).not.toMatch(/older copy/);
    expect(scene.commit("root", "c")).toBe("");
    world.run(settleMs);
    expect(scene.at("vendor")).toBe("1.4");
    const { node } = world.get("vendor");
    expect(node.reads.freshness(project, world.now.wallMs)).toBe("FRESH");
  });

  test("gets roots and grants back as well, where nothing was signed since they came", () => {
    const scene = new Scene();
    const { world, authority } = scene;
    const root = world.get("root");
    const rootsCount = (): number | undefined => {
      const { trust } = valueOf(root.node.reads.trust({ project, authority: authority.id }));
      return trust?.roots.length;
    };
    const given: unknown[] = [];
    world.onGiveBack = ({ frame }) => given.push(frame?.frame.case);
    const backup = [...root.store.load()];
    // One that ends a grant: without it the restored node would go by what has ended.
    valueOf(scene.update("root", nextTrust(authority, powersOf(authority, [2]))));
    world.run(settleMs);
    world.crash("root");
    restore(scene, backup);
    world.restart("root");
    expect(rootsCount()).toBe(1);
    world.run(settleMs);
    expect(rootsCount()).toBe(2);
    expect(given).toEqual(["trustUpdate"]);
    expect(scene.commit("root", "c")).toMatch(/^forbidden: grants: none for this node's ledger/);
    world.crash("root");
    world.restart("root");
    expect(rootsCount()).toBe(2);
  });

  test("takes nothing that was not signed, nor of a ledger that others write", () => {
    const scene = restored();
    const { world } = scene;
    const kinds = new Set<unknown>();
    world.onGiveBack = ({ frame }) => {
      kinds.add(frame?.frame.case);
      if (frame?.frame.case === "delta") frame.frame.value.entries[0]!.key = "flag/z";
    };
    world.run(settleMs);
    expect([...kinds]).toEqual(["trustUpdate", "delta"]);
    expect(scene.at("root")).toBe("1.1");
    expect(world.log.some((line) => /root frame-refused: acme\/vendor gave back/.test(line))).toBe(
      true,
    );
  });

  test("is told so by its children, and signs no second history", () => {
    const scene = restored();
    const { world } = scene;
    // A child that shows the proof, and has no time to give the rest.
    world.onGiveBack = (request) => delete request.frame;
    world.run(settleMs);
    expect(scene.at("root")).toBe("1.1");
    expect(scene.commit("root", "c")).toMatch(/^conflict: .* at 1\.3, .*here it is at 1\.1/);
    expect(refusalOf(scene.promote("root", { term: 2 }))).toMatch(
      /^conflict: .* here it is at 1\.1/,
    );
    expect(scene.problems("root")).toMatch(/older copy.*promote/);
    // The one that holds the newest goes on, and the restored one follows it.
    valueOf(scene.promote("vendor", { term: 2, force: true }));
    joinNodes(world, "vendor", "root");
    world.run(settleMs);
    expect(scene.at("root")).toBe("2.1");
    expect(scene.problems("root")).not.toMatch(/older copy|written elsewhere|upstream/);
  });
});

describe("what a child shows", () => {
  const proofOf = (scene: Scene): LedgerProof => {
    const { trusted, head } = scene.stolen("vendor");
    return {
      ledger: { ...scene.name, $typeName: "headwater.v1.LedgerName" },
      trust: { roots: [...trusted!.roots], grants: trusted!.grants.map((one) => one.envelope) },
      head: head!.envelope,
    } as unknown as LedgerProof;
  };

  test.each<[string, (proof: LedgerProof) => void]>([
    ["an altered head", ({ head }) => head!.payload.reverse()],
    ["a head that nobody has signed", ({ head }) => head!.signatures.pop()],
    ["without a head", (proof) => delete proof.head],
    ["without the grants of the new term", ({ trust }) => (trust!.grants.length = 2)],
    ["of another ledger", ({ ledger }) => (ledger!.project = "nova")],
  ])("counts for nothing: %s", (_, spoil) => {
    const scene = succeeded();
    const { world } = scene;
    const proof = proofOf(scene);
    spoil(proof);
    for (const { id } of world.openLinks) world.cut(id);
    world.crash("vendor");
    world.restart("root");
    const request = create(ConfirmRequestSchema, { node: "vendor", ahead: [proof, proof] });
    show(scene, request);
    expect(scene.commit("root", "c")).toBe("");
    expect(keysOf(scene)).toHaveLength(1);
  });

  test("counts when it is whole", () => {
    const scene = succeeded();
    const proof = proofOf(scene);
    const { world } = scene;
    world.crash("vendor");
    world.restart("root");
    const request = create(ConfirmRequestSchema, { node: "vendor", ahead: [proof] });
    show(scene, request);
    expect(scene.commit("root", "c")).toMatch(/^forbidden: /);
  });
});

/** Puts a node's disk back to what it once was. */
function restore(scene: Scene, backup: readonly StoredRecord[]): void {
  const { store } = scene.world.get("root");
  const gone = [...store.load()].map(
    ({ bucket, key }): Write => ({ bucket, key, value: undefined }),
  );
  store.write([...gone, ...backup]);
}

/** What a child of the root confirms. */
function show(scene: Scene, request: ConfirmRequest): void {
  const peer = { by: "certificate", name: "acme" } as const;
  const confirmed = { kind: "child-confirmed", peer, request } as const;
  scene.world.ask("root", (call) => ({ ...confirmed, call }));
}
