import type { ServiceImpl } from "@connectrpc/connect";
import type { CensusService } from "../../gen/headwater/v1/censuses_pb.ts";
import type { NodeAccess } from "../access.ts";
import { originOf } from "./call-origin.ts";
import { outcomeValue } from "./outcome-value.ts";

/** What is asked of everybody who takes part, for operators. */
export function censusService(access: NodeAccess): ServiceImpl<typeof CensusService> {
  return {
    listCensuses: ({ project }) =>
      outcomeValue(access.reads.censuses(project, access.now().wallMs)),
    setEnrollment: ({ project, enrolled: isEnrolled, withoutApps }, context) =>
      access.ask<{ cautions: string[] }>((call) => ({
        kind: "set-enrollment",
        call,
        project,
        isEnrolled,
        withoutApps,
        by: originOf(context),
      })),
  };
}
