import { create } from "@bufbuild/protobuf";
import { beforeEach, describe, expect, test } from "vitest";
import { type Rollout, RolloutPlanSchema } from "../../gen/headwater/v1/rollouts_pb.ts";
import { minuteMs } from "../../relay/cadence.ts";
import { commitFlags, valueOf } from "../sim/mesh.ts";
import { refusalOf } from "./authority.ts";
import { project, Scene, settleMs } from "./succession-scene.ts";

let scene: Scene;

/** The root has a second node, and the first one runs a rollout. */
beforeEach(() => {
  scene = new Scene();
  scene.world.add("standby", { site: "upstream" });
  for (const name of ["root", "standby"])
    scene.world.tell(name, { kind: "fanout-changed", connected: true, problem: "" });
  valueOf(commitFlags(scene.world, "root", project, [{ name: "wide", basisPoints: 100 }]));
  const steps = [3000, 6000].map((basisPoints) => ({ basisPoints, dwellMs: BigInt(dwellMs) }));
  const plan = create(RolloutPlanSchema, { steps });
  const of = { project, flag: "wide", plan };
  valueOf(scene.world.ask("root", (call) => ({ kind: "start-rollout", call, ...of })));
  scene.world.run(settleMs);
});

const dwellMs = 4 * 60 * minuteMs;

const rolloutAt = (name: string): Rollout | undefined =>
  scene.world.get(name).node.reads.rollouts(project)[0];

const change = (name: string, action: "PAUSE" | "RESUME") =>
  scene.world.ask(name, (call) => ({
    kind: "change-rollout",
    call,
    project,
    flag: "wide",
    action,
  }))!;

describe("a rollout whose writer is lost", () => {
  test("is known to the site's other nodes, which leave it alone", () => {
    expect(rolloutAt("standby")).toEqual(rolloutAt("root"));
    expect(refusalOf(change("standby", "PAUSE"))).toMatch(/^forbidden: .*not written at this node/);
    valueOf(change("root", "PAUSE"));
    scene.world.run(1_000);
    expect(rolloutAt("standby")).toMatchObject({ state: "PAUSED" });
    scene.world.crash("standby");
    valueOf(change("root", "RESUME"));
    scene.world.restart("standby");
    scene.world.run(settleMs);
    expect(rolloutAt("standby")).toEqual(rolloutAt("root"));
  });

  test("goes on at the node that is promoted: its step begins anew, and waits for reports", () => {
    scene.world.crash("root");
    const startedMs = scene.world.now.wallMs;
    valueOf(scene.promote("standby", { term: 2, force: true }));
    expect(rolloutAt("standby")).toMatchObject({ state: "RUNNING", step: 0, term: 2 });
    expect(Number(rolloutAt("standby")!.stepStartedMs)).toBeGreaterThanOrEqual(startedMs);
    scene.world.run(2 * minuteMs);
    expect(rolloutAt("standby")?.reason).toMatch(/^the step lasts/);
    valueOf(change("standby", "PAUSE"));
    scene.world.restart("root");
    scene.world.run(settleMs);
    expect(scene.at("root")).toBe(scene.at("standby"));
    expect(rolloutAt("root")).toEqual(rolloutAt("standby"));
    expect(rolloutAt("root")?.state).toBe("PAUSED");
  });

  test("that is paused stays so, and goes on from where the flag is", () => {
    valueOf(change("root", "PAUSE"));
    scene.world.run(1_000);
    scene.world.crash("root");
    valueOf(scene.promote("standby", { term: 2, force: true }));
    expect(rolloutAt("standby")).toMatchObject({ state: "PAUSED", step: 0, term: 2 });
    valueOf(change("standby", "RESUME"));
    expect(rolloutAt("standby")?.state).toBe("RUNNING");
  });
});
