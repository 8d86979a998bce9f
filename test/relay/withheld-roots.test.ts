import { create, fromBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { EnvelopeSchema, HeadSchema, TrustSchema } from "../../gen/headwater/v1/ledger_pb.ts";
import { ReplicateResponseSchema } from "../../gen/headwater/v1/mesh_pb.ts";
import { staleAfterMs } from "../../relay/cadence.ts";
import { ledgerId } from "../../relay/ledger/position.ts";
import { encodeFrame } from "../../relay/link/ledger-frames.ts";
import { joinNodes } from "../sim/mesh.ts";
import { type Power, valueOf } from "./authority.ts";
import { frameOf } from "./link/mirror.ts";
import { nextTrust, powersOf, project, Scene, settleMs } from "./succession-scene.ts";

type Frame = ReturnType<typeof frameOf>;

const overlay: Power = {
  case: "overlay",
  value: { authority: new Uint8Array(32).fill(7), pinBasisPointsMax: 100 },
};

/** What the root hands out from now on: undefined is what it keeps to itself. */
function pass(scene: Scene, of: (frame: Frame) => Frame | undefined): void {
  scene.world.network.cheats.set("root", (_, bytes) => {
    const frame = of(frameOf(bytes));
    return frame === undefined ? [] : [encodeFrame(frame)];
  });
}

function freshnessOf({ world }: Scene): string {
  return world.get("vendor").node.reads.freshness(project, world.now.wallMs);
}

/** Two commits a minute for so long that nothing older than the last of them is FRESH. */
function commitOn(scene: Scene): void {
  for (let at = 0, count = 0; at < staleAfterMs + 2 * settleMs; at += settleMs / 2) {
    expect(scene.commit("root", `flag-${count++ % 2}-${at}`)).toBe("");
    scene.world.run(settleMs / 2);
  }
}

function expectCaughtUp(scene: Scene): void {
  scene.world.network.cheats.clear();
  scene.world.run(staleAfterMs + 2 * settleMs);
  expect(freshnessOf(scene)).toBe("FRESH");
  expect(scene.problems("vendor")).not.toContain("knows of");
  expect(scene.at("vendor")).toBe(scene.at("root"));
}

function withoutTrust(frame: Frame): Frame | undefined {
  return frame.case === "trustUpdate" ? undefined : frame;
}

/** Changes pass, and nothing else that says how new they are. */
function changesAlone(frame: Frame): Frame | undefined {
  if (frame.case !== "heartbeat") return withoutTrust(frame);
  const { frame: empty } = create(ReplicateResponseSchema, {
    frame: { case: "heartbeat", value: { beats: [] } },
  });
  return empty;
}

test("new roots that a parent keeps to itself are missed by those below: data is STALE, and they say why", () => {
  const scene = new Scene();
  const { world, authority } = scene;
  pass(scene, withoutTrust);
  valueOf(scene.update("root", nextTrust(authority, powersOf(authority, [1]))));
  world.run(staleAfterMs + 2 * settleMs);
  expect(freshnessOf(scene)).toBe("STALE");
  expect(scene.problems("vendor")).toMatch(/its beat knows of root 2, and none after root 1/);
  expectCaughtUp(scene);
});

test("a change that was signed with new roots is not taken by who is kept from them, however many follow", () => {
  const scene = new Scene();
  const { authority } = scene;
  pass(scene, changesAlone);
  valueOf(scene.update("root", nextTrust(authority, powersOf(authority, [1]))));
  const before = scene.at("vendor");
  commitOn(scene);
  expect(freshnessOf(scene)).toBe("STALE");
  expect(scene.at("vendor")).toBe(before);
  expect(scene.problems("vendor")).toMatch(/its head knows of root 2, and none after root 1/);
  expectCaughtUp(scene);
});

test.each([
  ["beats", withoutTrust, "beat"],
  ["changes", changesAlone, "head"],
] as const)(
  "a grant of the same root that is kept back while %s pass is missed as well",
  (what, passed, by) => {
    const scene = new Scene();
    pass(scene, passed);
    const grants = [scene.authority.grant(overlay)];
    valueOf(scene.update("root", create(TrustSchema, { grants })));
    if (what === "changes") commitOn(scene);
    else scene.world.run(staleAfterMs + 2 * settleMs);
    expect(freshnessOf(scene)).toBe("STALE");
    expect(scene.problems("vendor")).toContain(
      `its ${by} knows of 3 grants of root 1, and 2 have come`,
    );
    expectCaughtUp(scene);
  },
);

test("a grant that its operator has given to a node below takes nothing from it that its parent sends", () => {
  const scene = new Scene();
  const grants = [scene.authority.grant(overlay)];
  valueOf(scene.update("vendor", create(TrustSchema, { grants })));
  commitOn(scene);
  expect(freshnessOf(scene)).toBe("FRESH");
  expect(scene.at("vendor")).toBe(scene.at("root"));
});

test("who is sent all of a ledger, and kept from its newest grants, takes none of it", () => {
  const scene = new Scene();
  const grants = [scene.authority.grant(overlay)];
  valueOf(scene.update("root", create(TrustSchema, { grants })));
  scene.commit("root", "later");
  pass(scene, (frame) => {
    if (frame.case !== "trustUpdate" || frame.value.trust === undefined) return changesAlone(frame);
    frame.value.trust.grants = frame.value.trust.grants.slice(0, 2);
    return frame;
  });
  scene.world.add("late", { site: "late" });
  joinNodes(scene.world, "root", "late");
  scene.world.run(settleMs);
  expect(scene.world.get("late").node.reads.freshness(project, scene.world.now.wallMs)).toBe(
    "EMPTY",
  );
  expect(scene.problems("late")).toContain("its head knows of 3 grants of root 1, and 2 have come");
  scene.world.network.cheats.clear();
  scene.world.run(staleAfterMs + 2 * settleMs);
  expect(scene.world.get("late").node.reads.freshness(project, scene.world.now.wallMs)).toBe(
    "FRESH",
  );
});

test("the first head of a promotion knows of the grants that it came with", () => {
  const scene = new Scene();
  valueOf(scene.promote("vendor", { term: 2, force: true }));
  const bytes = scene.world.get("vendor").store.get("head", ledgerId(scene.name));
  const { payload } = fromBinary(EnvelopeSchema, bytes!);
  expect(fromBinary(HeadSchema, payload)).toMatchObject({ rootVersion: 1, grantsCount: 4 });
});
