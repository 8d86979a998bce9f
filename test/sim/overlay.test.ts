import { create } from "@bufbuild/protobuf";
import { beforeEach, describe, expect, test } from "vitest";
import { CommitRequestSchema } from "../../gen/headwater/v1/ledgers_pb.ts";
import { ProjectPinSchema } from "../../gen/headwater/v1/mesh_pb.ts";
import { ledgerId } from "../../relay/ledger/position.ts";
import { layersCountMax } from "../../relay/limits.ts";
import type { Outcome } from "../../relay/refusal.ts";
import { toHex } from "../../relay/trust/key.ts";
import { type Entries, epochMs, refusalOf } from "../relay/authority.ts";
import { aliasEntry, ruleEntry } from "../relay/layers/entries.ts";
import {
  commitFlags,
  initOverlay,
  initProject,
  joinNodes,
  joinWith,
  overlayAuthority,
  publishReleases,
  tokenFor,
  valueOf,
} from "./mesh.ts";
import { World } from "./world.ts";

const project = "horizon";
const cap = { case: "cap", value: { basisPoints: 0 } } as const;
const none = new Uint8Array(0);
let world: World;

beforeEach(() => {
  world = new World(1);
  for (const [name, site] of [
    ["root", "upstream"],
    ["vendor", "vendor"],
    ["site", "site"],
  ] as const)
    world.add(name, { site });
});

/** A mesh in which everybody has the flag `alpha` at 100 %. */
function joined(grants: Parameters<typeof initProject>[3] = []): void {
  initProject(world, "root", project, grants);
  publishReleases(world, "root", project, ["2.3.0"]);
  valueOf(commitFlags(world, "root", project, [{ name: "alpha", basisPoints: 10_000 }]));
  joinNodes(world, "root", "vendor");
  world.run(5_000);
  joinNodes(world, "vendor", "site");
  world.run(5_000);
}

function reads(name: string) {
  return world.get(name).node.reads;
}

function shown(name: string, version: string = "2.3.0"): string {
  const of = { project, flag: "alpha", instance: "i", version };
  const { enabled, reason, freshness } = reads(name).evaluate(of, world.now.wallMs);
  return `${enabled ? "on" : "off"} ${reason} ${freshness}`;
}

function overlaysOf(name: string): string[] {
  return reads(name).pins()[0]?.overlays.map(toHex) ?? [];
}

function say(node: string, authority: Uint8Array, entries: Entries): Outcome<unknown> | undefined {
  const puts = Object.entries(entries).map(([key, value]) => ({ key, value: value ?? none }));
  const request = create(CommitRequestSchema, { ledger: { authority, project }, entries: puts });
  return world.ask(node, (call) => ({ kind: "commit", call, request }));
}

describe("an overlay is refused", () => {
  const refusal = (node: string): string => {
    const keys = { ledgerSeed: Buffer.alloc(32, 1), beatSeed: Buffer.alloc(32, 2) };
    const outcome = world.ask(node, (call) => ({
      kind: "prepare-ledger",
      call,
      project,
      overlay: true,
      ...keys,
    }));
    return refusalOf(outcome!);
  };

  test("where the project is not held", () => {
    expect(refusal("vendor")).toMatch(/^unknown: project: horizon is not held here/);
  });

  test("to a node that writes one already, also after a restart", () => {
    joined();
    initOverlay(world, "vendor", project);
    expect(refusal("vendor")).toMatch(/^conflict: .*writes an overlay of horizon already/);
    world.crash("vendor");
    world.restart("vendor");
    expect(refusal("vendor")).toMatch(/^conflict: .*writes an overlay of horizon already/);
  });

  test("where there are as many layers as there may be", () => {
    const overlays = Array.from({ length: layersCountMax - 1 }, (_, n) => Buffer.alloc(32, n + 1));
    const pin = create(ProjectPinSchema, { project, authority: Buffer.alloc(32, 99), overlays });
    world.add("full", { site: "full", pins: [pin] });
    expect(refusal("full")).toMatch(/^limit: .*has 8 layers/);
  });
});

describe("a site that joins again", () => {
  beforeEach(() => joined());

  test("keeps its last values until the overlay has come, and then follows it", () => {
    const authority = initOverlay(world, "vendor", project);
    expect(shown("vendor")).toBe("on FULL FRESH");
    valueOf(say("vendor", authority, ruleEntry("*", cap)));
    const token = tokenFor(world, "vendor", "site");
    world.crash("vendor");
    valueOf(joinWith(world, "site", token));
    world.run(3_000);
    expect(shown("site")).toBe("on FULL STALE");
    expect(reads("site").status(world.now).problems).toContain(
      `horizon: its overlay ${toHex(authority)} has not come yet`,
    );
    world.crash("site");
    world.restart("site");
    expect(shown("site")).toBe("on FULL STALE");
    world.restart("vendor");
    world.run(60_000);
    expect(shown("site")).toBe("off CAPPED FRESH");
    for (const node of ["vendor", "site"]) {
      world.crash(node);
      world.restart(node);
      expect(shown(node)).toBe("off CAPPED FRESH");
    }
  });

  test("is EMPTY without an overlay that has come once, and is not on its disk any more", () => {
    const authority = initOverlay(world, "vendor", project);
    const id = ledgerId({ authority, project });
    const { store } = world.get("site");
    world.run(1);
    const token = tokenFor(world, "vendor", "site");
    world.crash("vendor");
    valueOf(joinWith(world, "site", token));
    expect(store.keys("late")).toEqual([id]);
    world.restart("vendor");
    world.run(60_000);
    expect(store.keys("late")).toEqual([]);
    world.crash("vendor");
    world.crash("site");
    store.write([
      { bucket: "head", key: id, value: undefined },
      { bucket: "trust", key: id, value: undefined },
    ]);
    world.restart("site");
    expect(shown("site")).toBe("off EMPTY EMPTY");
  });

  test("loses no overlay to a token that names fewer, and adds its own on top", () => {
    const before = tokenFor(world, "vendor", "site");
    const vendors = initOverlay(world, "vendor", project);
    world.run(1);
    joinNodes(world, "vendor", "site");
    const own = initOverlay(world, "site", project);
    valueOf(joinWith(world, "site", before));
    expect(overlaysOf("site")).toEqual([vendors, own].map(toHex));
    valueOf(say("site", own, ruleEntry("alpha", { case: "kill", value: { versions: "*" } })));
    world.run(30_000);
    expect([shown("vendor"), shown("site")]).toEqual(["on FULL FRESH", "off KILLED FRESH"]);
  });

  test("is refused another authority, and more layers than there may be", () => {
    const token = tokenFor(world, "vendor", "site");
    const [pin] = token.pins;
    const other = { ...token, pins: [{ ...pin!, authority: Buffer.alloc(32, 9) }] };
    expect(refusalOf(joinWith(world, "site", other)!)).toMatch(/^conflict: pins: horizon is of/);
    const overlays = Array.from({ length: layersCountMax }, (_, n) => Buffer.alloc(32, n + 1));
    const more = { ...token, pins: [{ ...pin!, overlays }] };
    expect(refusalOf(joinWith(world, "site", more)!)).toMatch(/^limit: pins: horizon would have/);
    expect(overlaysOf("site")).toEqual([]);
  });
});

test("a layer that was pinned from the start and is missing leaves the project EMPTY", () => {
  initProject(world, "root", project);
  valueOf(commitFlags(world, "root", project, [{ name: "alpha", basisPoints: 10_000 }]));
  const token = tokenFor(world, "root", "site");
  const pins = [{ ...token.pins[0]!, overlays: [Buffer.alloc(32, 9)] }];
  valueOf(joinWith(world, "site", { ...token, pins }));
  world.run(10_000);
  expect(reads("site").status(world.now).projects[0]?.layers[0]?.position).toBeDefined();
  expect(shown("site")).toBe("off EMPTY EMPTY");
  expect(reads("site").table(project, "2.3.0", world.now.wallMs)).toBeUndefined();
});

test("all nodes of a site follow the overlay that one of them writes", () => {
  for (const name of ["one", "two"]) {
    world.add(name, { site: "plant" });
    world.tell(name, { kind: "fanout-changed", connected: true, problem: "" });
  }
  initProject(world, "root", project);
  valueOf(commitFlags(world, "root", project, [{ name: "alpha", basisPoints: 10_000 }]));
  joinNodes(world, "root", "one");
  world.run(20_000);
  expect(shown("two")).toBe("on FULL FRESH");
  const authority = initOverlay(world, "one", project);
  valueOf(say("one", authority, ruleEntry("alpha", cap)));
  world.run(20_000);
  expect(overlaysOf("two")).toEqual([toHex(authority)]);
  expect([shown("one"), shown("two")]).toEqual(["off CAPPED FRESH", "off CAPPED FRESH"]);
});

describe("a project that a trust file pins", () => {
  test("keeps the node's own overlay, and takes none of a parent", () => {
    const authority = initProject(world, "root", project);
    const pin = create(ProjectPinSchema, { project, authority });
    world.add("strict", { site: "strict", pins: [pin] });
    joinNodes(world, "root", "strict");
    world.run(5_000);
    const own = initOverlay(world, "strict", project);
    world.crash("strict");
    world.restart("strict");
    expect(overlaysOf("strict")).toEqual([toHex(own)]);
    initOverlay(world, "root", project);
    const token = tokenFor(world, "root", "strict");
    expect(refusalOf(joinWith(world, "strict", token)!)).toMatch(
      /^conflict: pins: .*trust file does not name/,
    );
  });
});

describe("what needs a grant", () => {
  const alias = aliasEntry("2.3.0-4.el9", "2.3.0");
  const pin = ruleEntry("alpha", { case: "pin", value: { basisPoints: 5000 } });
  const value = {
    authority: overlayAuthority("vendor", project),
    flags: ["alpha"],
    pinBasisPointsMax: 5000,
    aliases: true,
  };

  test("is not written without one, and the refusal says who can change that", () => {
    joined();
    const authority = initOverlay(world, "vendor", project);
    for (const [entries, key] of [
      [alias, "alias/2.3.0-4.el9"],
      [pin, "rule/pin/alpha"],
    ] as const) {
      const outcome = say("vendor", authority, entries)!;
      expect(refusalOf(outcome)).toBe(
        `forbidden: entries: no grant of horizon allows this overlay ${key}`,
      );
      expect(outcome.ok || outcome.refusal.hint).toContain(toHex(authority));
    }
  });

  test("counts at every hop with one, and when that ends has no effect and is told of once", () => {
    const expiresMs = epochMs + 600_000;
    joined([{ power: { case: "overlay", value }, expiresMs }]);
    const authority = initOverlay(world, "vendor", project);
    world.run(1);
    joinNodes(world, "vendor", "site");
    valueOf(say("vendor", authority, { ...alias, ...pin }));
    world.run(10_000);
    for (const node of ["vendor", "site"]) {
      expect(shown(node)).toMatch(/PINNED FRESH$/);
      expect(reads(node).releaseOf(project, "2.3.0-4.el9", world.now.wallMs)).toBe("2.3.0");
    }
    world.run(600_000);
    for (const node of ["vendor", "site"]) {
      expect(shown(node)).toBe("on FULL FRESH");
      expect(reads(node).releaseOf(project, "2.3.0-4.el9", world.now.wallMs)).toBe("");
      const { projects, problems } = reads(node).status(world.now);
      const keys = ["alias/2.3.0-4.el9", "rule/pin/alpha"];
      expect(projects[0]?.layers[1]?.ungranted).toEqual(keys);
      expect(problems.join()).toContain("2 entries of overlay");
      const told = world.log.filter((line) => line.includes(`${node} overlay-ungranted`));
      expect(told).toEqual([expect.stringContaining(keys.join(", "))]);
    }
  });
});
