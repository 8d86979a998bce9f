import { create } from "@bufbuild/protobuf";
import { beforeEach, describe, expect, test } from "vitest";
import { type JoinToken, ReplicateRequestSchema } from "../../gen/headwater/v1/mesh_pb.ts";
import { minuteMs } from "../../relay/cadence.ts";
import type { Peer } from "../../relay/event.ts";
import { epochMs, refusalOf } from "../relay/authority.ts";
import { commitFlags, initProject, joinWith, valueOf } from "./mesh.ts";
import { World } from "./world.ts";

const project = "horizon";
let world: World;

beforeEach(() => {
  world = new World(1);
  for (const [name, site] of [
    ["one", "parent"],
    ["two", "parent"],
    ["child", "acme"],
  ] as const)
    world.add(name, { site });
  for (const name of ["one", "two"])
    world.tell(name, { kind: "fanout-changed", connected: true, problem: "" });
  initProject(world, "one", project);
  valueOf(commitFlags(world, "one", project, [{ name: "a", basisPoints: 10_000 }]));
  world.run(20_000);
});

/** The child joins a node of the parent's site with a token that another has given. */
function joined(at: string, of: { expiresMs?: number; projects?: string[] } = {}): void {
  const { expiresMs = 0, projects = [] } = of;
  const id = Buffer.alloc(16, `${at} ${world.nowMs}`);
  const addresses = [at];
  const given = {
    name: "acme",
    expiresMs,
    projects,
    addresses,
    certificate: new Uint8Array(0),
    id,
  };
  const token = valueOf(
    world.ask<JoinToken>("one", (call) => ({ kind: "add-child", call, ...given })),
  );
  valueOf(joinWith(world, "child", token));
  world.run(10_000);
}

const linksOf = (name: string): number =>
  world.get(name).node.reads.status(world.now).children.length;
const flagsAt = (name: string): number =>
  world
    .get(name)
    .node.reads.status(world.now)
    .projects.find((one) => one.project === project)?.flagsCount ?? 0;
const revoke = (at: string, older = false) =>
  world.ask<{ revokedCount: number }>(at, (call) => ({
    kind: "revoke-child",
    call,
    name: "acme",
    older,
  }))!;

describe("a token", () => {
  test("that expires ends the link that it has opened, at that time", () => {
    joined("one", { expiresMs: epochMs + 2 * minuteMs });
    expect([linksOf("one"), flagsAt("child")]).toEqual([1, 1]);
    world.run(2 * minuteMs);
    expect(linksOf("one")).toBe(0);
    // What it has got stays.
    expect(flagsAt("child")).toBe(1);
  });

  test("that one node revokes ends at all nodes of the site, for good", () => {
    joined("two");
    expect(linksOf("two")).toBe(1);
    expect(valueOf(revoke("one"))).toEqual({ revokedCount: 1 });
    world.run(1_000);
    expect(linksOf("two")).toBe(0);
    world.crash("two");
    world.restart("two");
    world.crash("one");
    world.run(5 * minuteMs);
    expect(linksOf("two")).toBe(0);
  });

  test("that was revoked while a node was away is known to it once it is back", () => {
    joined("two");
    world.crash("two");
    valueOf(revoke("one"));
    world.restart("two");
    world.run(30_000);
    world.crash("one");
    world.run(5 * minuteMs);
    expect(linksOf("two")).toBe(0);
  });

  test("is rotated by a second one, after which the older can be ended alone", () => {
    joined("one");
    expect(refusalOf(revoke("one", true))).toMatch(/^unknown: .*no token before its newest/);
    world.run(1_000);
    joined("one");
    expect(linksOf("one")).toBe(1);
    expect(valueOf(revoke("two", true))).toEqual({ revokedCount: 1 });
    world.run(minuteMs);
    expect(linksOf("one")).toBe(1);
  });

  test("that names projects brings no other, whatever its holder asks for", () => {
    initProject(world, "one", "nova");
    valueOf(commitFlags(world, "one", "nova", [{ name: "b", basisPoints: 1 }]));
    joined("one", { projects: ["nova"] });
    const [link] = world.get("one").node.reads.status(world.now).children;
    expect(link!.positions.map(({ ledger }) => ledger?.project)).toEqual(["nova"]);
    const { credential } = world.joined.get("child")![0]!;
    expect(credential).toBeDefined();
    expect(flagsAt("child")).toBe(0);
  });
});

describe("a child that is known by a certificate", () => {
  const opened = (issuedMs: number | undefined, link: number): number => {
    const peer: Peer = { by: "certificate", name: "acme", issuedMs };
    const request = create(ReplicateRequestSchema, { protocol: 1, node: `n${link}` });
    world.tell("two", { kind: "child-opened", link, peer, request });
    return linksOf("two");
  };

  test("is revoked with all certificates that were issued until then, at all nodes", () => {
    expect(opened(epochMs - minuteMs, 901)).toBe(1);
    expect(refusalOf(revoke("one"))).toMatch(/^unknown: name: no child "acme"/);
    expect(valueOf(revoke("two"))).toEqual({ revokedCount: 0 });
    expect(linksOf("two")).toBe(0);
    expect(opened(epochMs - minuteMs, 902)).toBe(0);
    expect(opened(undefined, 903)).toBe(0);
    world.run(1_000);
    expect(opened(epochMs + world.nowMs, 904)).toBe(1);
    world.crash("two");
    world.restart("two");
    expect(opened(epochMs - minuteMs, 905)).toBe(0);
  });
});
