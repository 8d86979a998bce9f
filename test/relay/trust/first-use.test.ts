import { toBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { EnvelopeSchema } from "../../../gen/headwater/v1/ledger_pb.ts";
import type { JoinToken } from "../../../gen/headwater/v1/mesh_pb.ts";
import { initProject, joinNodes, valueOf } from "../../sim/mesh.ts";
import { World } from "../../sim/world.ts";
import { refusalOf, seedOf } from "../authority.ts";

const project = "horizon";

function tokenOf(world: World, child: string): JoinToken {
  const id = seedOf(child).subarray(0, 16);
  const token = {
    name: child,
    expiresMs: 0,
    projects: [],
    addresses: ["root"],
    certificate: new Uint8Array(0),
    id,
  };
  return valueOf(world.ask<JoinToken>("root", (call) => ({ kind: "add-child", call, ...token })));
}

/** Settings that name a parent, and nobody's authority. */
function upstreamOf(token: JoinToken) {
  const credential = token.credential && toBinary(EnvelopeSchema, token.credential);
  const settings = { id: "root", addresses: ["root"], certificate: undefined, projects: undefined };
  return { ...settings, credential };
}

test("a parent is believed nothing about a project that no token or trust file has pinned", () => {
  const world = new World(1);
  world.add("root", { site: "upstream" });
  const authority = initProject(world, "root", project);
  const upstreams = [upstreamOf(tokenOf(world, "acme"))];
  world.add("vendor", { site: "acme", upstreams });
  const pins = [
    {
      $typeName: "headwater.v1.ProjectPin" as const,
      project,
      authority,
      overlays: [],
      vouchedBy: "",
    },
  ];
  world.add("pinned", {
    site: "acme-too",
    upstreams: [upstreamOf(tokenOf(world, "acme-too"))],
    pins,
  });
  world.run(60_000);
  expect(world.openLinks.map(({ child }) => child).sort()).toEqual(["pinned", "vendor"]);
  expect(world.get("vendor").node.reads.projects()).toEqual([]);
  expect(world.get("pinned").node.reads.freshness(project, world.now.wallMs)).toBe("FRESH");
});

test("a token that disagrees with the trust file is refused, and the file's word stays", () => {
  const world = new World(2);
  world.add("root", { site: "upstream" });
  initProject(world, "root", project);
  const pin = {
    $typeName: "headwater.v1.ProjectPin" as const,
    project,
    overlays: [],
    vouchedBy: "",
  };
  world.add("vendor", { site: "acme", pins: [{ ...pin, authority: seedOf("other") }] });
  expect(() => joinNodes(world, "root", "vendor")).toThrow(/^conflict: pins: horizon/);
  const token = tokenOf(world, "acme-again");
  const outcome = world.ask("vendor", (call) => ({ kind: "join", call, token }));
  expect(outcome && refusalOf(outcome)).toContain("pinned here is");
  expect(world.get("vendor").node.reads.pins()[0]?.authority).toEqual(seedOf("other"));
});
