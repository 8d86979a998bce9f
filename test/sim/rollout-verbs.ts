import { create } from "@bufbuild/protobuf";
import { ReportRequestSchema } from "../../gen/headwater/v1/apps_pb.ts";
import { RolloutPlanSchema } from "../../gen/headwater/v1/rollouts_pb.ts";
import { minuteMs } from "../../relay/cadence.ts";
import { project, type Scene } from "./scene.ts";
import { pick, type Verbs } from "./verb.ts";

/** Only its rollout changes it. */
const rampFlag = "ramp";

/** As long as documents need over one link. */
const dwellMs = 3 * minuteMs;

/** On each side of a trial: a few more than it takes to judge. */
const armCount = 22;

/** A rollout, and fleets that say how they do with it: stories have both or none. */
export const rolloutVerbs: Verbs = {
  ramp: {
    weight: 0,
    draw: ({ random }) => [
      String(1 + random.below(3)),
      String(1 + random.below(2)),
      pick(random, ["judged", "judged", "unjudged"]),
    ],
    run: (scene, [stepsCount = "1", sitesMin = "1", patience]) => {
      scene.change([{ name: rampFlag, says: "0" }]);
      scene.checks.truth.doubt(scene.ledger, `flag/${rampFlag}`);
      const steps = Array.from({ length: Number(stepsCount) }, (_, at) => ({
        basisPoints: 1_000 * (at + 1),
        dwellMs: BigInt(dwellMs),
      }));
      const plan = create(RolloutPlanSchema, {
        steps,
        sitesMin: Number(sitesMin),
        hops: 1,
        killOnBad: scene.story.seed % 2 === 0,
        goOnAfterMs: patience === "unjudged" ? BigInt(dwellMs) : 0n,
      });
      if (scene.isUp(scene.writer))
        scene.world.ask(scene.writer, (call) => ({
          kind: "start-rollout",
          call,
          project,
          flag: rampFlag,
          plan,
        }));
    },
  },
  fleet: {
    weight: 0,
    draw: ({ random }) => [pick(random, ["well", "well", "ill"])],
    run: (scene, [how = "well"]) => {
      for (const { name } of scene.layout.nodes.slice(2))
        if (scene.isUp(name)) fleet(scene, name, how);
    },
  },
};

/** Half of the instances take the path. Of an ill fleet they all fail, of a well one the others. */
function fleet(scene: Scene, node: string, how: string): void {
  const { site } = scene.world.get(node).settings;
  for (let at = 0; at < 2 * armCount; at++) {
    const instance = `${site}-fleet-${at}`;
    const active = at < armCount;
    const health = active === (how === "ill") ? "FAILED" : "OK";
    const flags = [{ name: rampFlag, active }];
    const report = create(ReportRequestSchema, {
      project,
      version: "1.0.0",
      health,
      instance,
      flags,
    });
    scene.checks.reported(node, report);
    scene.world.ask(node, (call) => ({ kind: "report", call, report }));
  }
}
