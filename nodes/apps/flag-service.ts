import type { ServiceImpl } from "@connectrpc/connect";
import type { FlagService } from "../../gen/headwater/v1/apps_pb.ts";
import { instanceLengthMax, versionLengthMax } from "../../relay/limits.ts";
import type { NodeAccess } from "../access.ts";
import { type AppsCounts, countReason } from "./apps-counts.ts";
import { checkLength, checkName } from "./request-field.ts";
import { noteUnreported } from "./unreported.ts";
import { checkWatchTarget, type WatchStreams } from "./watch-stream.ts";

/** Answers apps about flags. What is not known is an answer too: an app must not fail over a flag. */
export function flagService(of: {
  access: NodeAccess;
  streams: WatchStreams;
  counts: AppsCounts;
}): ServiceImpl<typeof FlagService> {
  const { access, streams, counts } = of;
  return {
    evaluate: ({ project, flag, instance, version }) => {
      checkName("project", project);
      checkName("flag", flag);
      checkLength("instance", instance, { min: 1, max: instanceLengthMax });
      checkLength("version", version, { max: versionLengthMax });
      noteUnreported(access, project, instance);
      const asked = { project, flag, instance, version };
      const answer = access.reads.evaluate(asked, access.now().wallMs);
      countReason(counts, answer.reason);
      return answer;
    },
    watch: (target, context) => {
      checkWatchTarget(target);
      return streams.open(target, context.signal);
    },
  };
}
