import type { ServiceImpl } from "@connectrpc/connect";
import {
  type Rollout,
  RolloutDecisionSchema,
  type RolloutService,
} from "../../gen/headwater/v1/rollouts_pb.ts";
import { auditRecordsMax } from "../../relay/limits.ts";
import { quoted } from "../../relay/quoted.ts";
import { isRolloutAction, rolloutActions } from "../../relay/rollout/action.ts";
import type { NodeAccess } from "../access.ts";
import { HeadwaterError } from "../error.ts";
import { originOf } from "./call-origin.ts";
import { outcomeValue } from "./outcome-value.ts";
import { listRecords } from "./record-list.ts";

/** Gates and rollouts, for operators. */
export function rolloutService(access: NodeAccess): ServiceImpl<typeof RolloutService> {
  return {
    checkGate: (request) => outcomeValue(access.reads.gate(request, access.now().wallMs)),
    startRollout: ({ project, flag, plan }, context) => {
      if (plan === undefined)
        throw new HeadwaterError({ kind: "invalid", message: "plan: missing" });
      return access.ask<{ rollout: Rollout }>((call) => ({
        kind: "start-rollout",
        call,
        project,
        flag,
        plan,
        by: originOf(context),
      }));
    },
    listRollouts: ({ project }) => ({ rollouts: access.reads.rollouts(project) }),
    changeRollout: ({ project, flag, action }, context) => {
      if (!isRolloutAction(action))
        throw new HeadwaterError({
          kind: "invalid",
          message: `action: ${quoted(action)} is none of ${rolloutActions.join(", ")}`,
        });
      return access.ask<{ rollout: Rollout }>((call) => ({
        kind: "change-rollout",
        call,
        project,
        flag,
        action,
        by: originOf(context),
      }));
    },
    listDecisions: ({ project, flag, limit }) => ({
      decisions: listRecords({
        access,
        bucket: "decision",
        schema: RolloutDecisionSchema,
        project,
        limit,
        where:
          flag === ""
            ? undefined
            : { matches: ({ rollout }) => rollout?.flag === flag, among: auditRecordsMax },
      }),
    }),
  };
}
