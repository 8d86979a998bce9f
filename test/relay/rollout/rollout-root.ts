import { create, fromBinary } from "@bufbuild/protobuf";
import { ReportRequestSchema } from "../../../gen/headwater/v1/apps_pb.ts";
import type { JoinToken } from "../../../gen/headwater/v1/mesh_pb.ts";
import {
  type Rollout,
  type RolloutDecision,
  RolloutDecisionSchema,
  RolloutPlanSchema,
} from "../../../gen/headwater/v1/rollouts_pb.ts";
import { valueOf } from "../authority.ts";
import { flagEntry, releaseEntries } from "../layers/entries.ts";
import { rootNode, type SteppedNode } from "../stepped-node.ts";
import { healthDocument, hourMs, weightsDocument } from "../telemetry/fixture.ts";

const dwellMs = BigInt(6 * hourMs);

/** A root with apps of its own, and a flag that nobody has yet. */
export class Root {
  readonly node: SteppedNode = rootNode();
  readonly tokens: Map<string, JoinToken> = new Map();

  constructor() {
    valueOf(
      this.node.commit({ ...releaseEntries("1.0"), ...flagEntry("wide", { basisPoints: 100 }) }),
    );
  }

  start(
    of: {
      flag?: string;
      steps?: readonly number[];
      killOnBad?: boolean;
      dwell?: bigint;
      hops?: number;
    } = {},
  ) {
    const {
      flag = "wide",
      steps = [3000, 6000, 10_000],
      killOnBad = false,
      dwell = dwellMs,
      hops = 0,
    } = of;
    const plan = create(RolloutPlanSchema, {
      steps: steps.map((basisPoints) => ({ basisPoints, dwellMs: dwell })),
      killOnBad,
      hops,
    });
    return this.node.ask<{ rollout: Rollout }>((call) => ({
      kind: "start-rollout",
      call,
      project: "horizon",
      flag,
      plan,
    }));
  }

  change(action: "PAUSE" | "RESUME" | "ABORT") {
    const of = { project: "horizon", flag: "wide", action };
    return this.node.ask((call) => ({ kind: "change-rollout", call, ...of }));
  }

  /** So many apps say whether they take the path; those that do may fail. */
  live(forMs: number, of: { failing?: boolean } = {}): void {
    for (let passed = 0; passed < forMs; passed += hourMs / 2) {
      for (let n = 0; n < 100; n++) {
        const asked = { project: "horizon", flag: "wide", instance: `i-${n}`, version: "1.0" };
        const { enabled } = this.node.node.reads.evaluate(asked, this.node.wallMs);
        const report = create(ReportRequestSchema, {
          project: "horizon",
          version: "1.0",
          instance: `i-${n}`,
          health: enabled && of.failing === true ? "FAILED" : "OK",
          flags: [{ name: "wide", active: enabled }],
        });
        valueOf(this.node.ask((call) => ({ kind: "report", call, report })));
      }
      this.node.wait(hourMs / 2);
    }
  }

  /** A child's document of the last window, of this length. */
  hear(
    child: string,
    windowMs: number,
    kind: "HEALTH" | "WEIGHTS" = "HEALTH",
    flags: Readonly<Record<string, number>> = {},
  ): void {
    const token = this.tokens.get(child) ?? valueOf(this.node.addChild(child));
    this.tokens.set(child, token);
    const window = Math.floor(this.node.wallMs / windowMs);
    const said = kind === "HEALTH" ? healthDocument({}, { flags }) : weightsDocument({});
    const document = { ...said, window: BigInt(window), windowMs };
    const peer = { by: "credential", credential: token.credential } as const;
    valueOf(this.node.ask((call) => ({ kind: "document-received", call, peer, document })));
  }

  get rollout(): Rollout {
    const [rollout] = this.node.node.reads.rollouts("horizon");
    if (rollout === undefined) throw new Error("there is no rollout");
    return rollout;
  }

  get decisions(): RolloutDecision[] {
    const stored = [...this.node.stored.values()].filter(({ bucket }) => bucket === "decision");
    return stored.map(({ value }) => fromBinary(RolloutDecisionSchema, value));
  }

  get basisPoints(): number | undefined {
    return this.node.flags()?.["wide"];
  }
}
