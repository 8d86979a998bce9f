import { create } from "@bufbuild/protobuf";
import fc from "fast-check";
import { expect, test } from "vitest";
import { CommitRequestSchema, PromoteRequestSchema } from "../../gen/headwater/v1/ledgers_pb.ts";
import type { StoredRecord } from "../../relay/durable.ts";
import type { Write } from "../../relay/effect.ts";
import { type Entries, keyOf, type Power } from "../relay/authority.ts";
import { aliasEntry, anyRules, flagEntry, releaseEntries } from "../relay/layers/entries.ts";
import { initOverlay, initProject, joinNodes, overlayAuthority, valueOf } from "./mesh.ts";
import { World } from "./world.ts";

const project = "horizon";
const nodes = ["root", "vendor", "site"] as const;
const below = ["vendor", "site"] as const;
const versions = ["1.0", "2.0", "1.0-el9", "unpublished"];
const settleMs = 60_000;
const termsMax = 8;

type Step =
  | { readonly kind: "say"; readonly node: "vendor" | "site"; readonly entries: Entries }
  | { readonly kind: "restart"; readonly node: (typeof nodes)[number] }
  | { readonly kind: "restore" }
  | { readonly kind: "promote"; readonly node: (typeof nodes)[number] }
  | { readonly kind: "raise"; readonly basisPoints: number };

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant("say" as const),
    node: fc.constantFrom(...below),
    entries: fc.oneof(anyRules, fc.constant(aliasEntry("1.0-el9", "2.0"))),
  }),
  fc.record({ kind: fc.constant("restart" as const), node: fc.constantFrom(...nodes) }),
  fc.record({ kind: fc.constant("restore" as const) }),
  fc.record({ kind: fc.constant("promote" as const), node: fc.constantFrom(...nodes) }),
  fc.record({ kind: fc.constant("raise" as const), basisPoints: fc.nat(10_000) }),
);

/** A project whose overlays may do whatever can be granted, and that has a kill everywhere. */
class Scene {
  readonly world = new World(3);
  readonly authority: Uint8Array;
  readonly overlays: ReadonlyMap<string, Uint8Array>;
  readonly #backup: readonly StoredRecord[];
  #writer: string = "root";
  #term = 1;

  constructor() {
    const { world } = this;
    for (const name of nodes) world.add(name, { site: name });
    const powers = [
      ...Array.from({ length: termsMax }, (_, n): Power => {
        const { publicKey } = keyOf(`ledger ${n + 2}`);
        return { case: "ledgerKey", value: { term: n + 2, key: publicKey } };
      }),
      { case: "beatKey", value: { key: keyOf("beat").publicKey } } as Power,
      ...below.map((name): Power => {
        const authority = overlayAuthority(name, project);
        return { case: "overlay", value: { authority, pinBasisPointsMax: 10_000, aliases: true } };
      }),
    ];
    this.authority = initProject(
      world,
      "root",
      project,
      powers.map((power) => ({ power })),
    );
    this.#commit("root", this.authority, {
      ...releaseEntries("1.0", "2.0"),
      ...flagEntry("alpha", { basisPoints: 10_000 }),
    });
    joinNodes(world, "root", "vendor");
    world.run(settleMs);
    const vendors = initOverlay(world, "vendor", project);
    joinNodes(world, "vendor", "site");
    world.run(settleMs);
    this.overlays = new Map([
      ["vendor", vendors],
      ["site", initOverlay(world, "site", project)],
    ]);
    // Whoever writes later, the former root is to hear of it.
    joinNodes(world, "vendor", "root");
    if (below.some((name) => this.reasonAt(name, "1.0") !== "FULL")) throw new Error("not begun");
    this.#backup = [...world.get("root").store.load()];
    this.#set(10_000);
    world.run(settleMs);
  }

  do(step: Step): void {
    const { world } = this;
    switch (step.kind) {
      case "say":
        this.#commit(step.node, this.overlays.get(step.node)!, step.entries);
        break;
      case "restart":
        world.crash(step.node);
        world.restart(step.node);
        break;
      case "restore": {
        world.crash("root");
        const { store } = world.get("root");
        const gone = [...store.load()].map(
          ({ bucket, key }): Write => ({ bucket, key, value: undefined }),
        );
        store.write([...gone, ...this.#backup]);
        world.restart("root");
        break;
      }
      case "promote":
        this.#promote(step.node);
        break;
      case "raise":
        this.#set(step.basisPoints);
    }
    world.run(settleMs);
  }

  reasonAt(node: string, version: string): string {
    const of = { project, flag: "alpha", instance: "i", version };
    return this.world.get(node).node.reads.evaluate(of, this.world.now.wallMs).reason;
  }

  /** Killed, at whatever percentage. */
  #set(basisPoints: number): void {
    const kill = { versions: "*" } as never;
    this.#commit(this.#writer, this.authority, flagEntry("alpha", { basisPoints, kill }));
  }

  #promote(node: string): void {
    const term = this.#term + 1;
    if (term > termsMax) return;
    const request = create(PromoteRequestSchema, {
      ledger: { authority: this.authority, project },
      term,
      ledgerSeed: keyOf(`ledger ${term}`).seed,
      beatSeed: keyOf("beat").seed,
      force: true,
    });
    const promoted = this.world.ask(node, (call) => ({ kind: "promote", call, request }));
    if (promoted?.ok !== true) return;
    this.#term = term;
    this.#writer = node;
  }

  #commit(node: string, authority: Uint8Array, entries: Entries): void {
    const puts = Object.entries(entries).map(([key, value]) => ({ key, value: value! }));
    const ledger = { authority, project };
    const request = create(CommitRequestSchema, { ledger, entries: puts });
    const outcome = this.world.ask(node, (call) => ({ kind: "commit", call, request }));
    if (outcome?.ok === false && outcome.refusal.kind !== "forbidden") valueOf(outcome);
  }
}

test("an upstream kill survives every overlay, restart, restore and new term", () => {
  fc.assert(
    fc.property(fc.array(anyStep, { minLength: 1, maxLength: 8 }), (steps) => {
      const scene = new Scene();
      for (const step of steps) {
        scene.do(step);
        for (const node of below)
          for (const version of versions)
            expect(`${node} ${version} ${scene.reasonAt(node, version)}`).toMatch(/KILLED$/);
      }
    }),
    { numRuns: 20 },
  );
});
