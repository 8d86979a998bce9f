import type { ServiceImpl } from "@connectrpc/connect";
import type { FlagService } from "../../gen/headwater/v1/apps_pb.ts";
import { instanceLengthMax, versionLengthMax } from "../../relay/limits.ts";
import type { NodeAccess } from "../access.ts";
import { checkLength, checkName } from "./request-field.ts";
import type { WatchStreams } from "./watch-stream.ts";

/** Answers apps about flags. What is not known is an answer too: an app must not fail over a flag. */
export function flagService(
  access: NodeAccess,
  streams: WatchStreams,
): ServiceImpl<typeof FlagService> {
  return {
    evaluate: ({ project, flag, instance, version }) => {
      checkName("project", project);
      checkName("flag", flag);
      checkLength("instance", instance, { min: 1, max: instanceLengthMax });
      checkLength("version", version, { max: versionLengthMax });
      return access.reads.evaluate({ project, flag, instance, version }, access.now().wallMs);
    },
    watch: ({ project, version, position }, context) => {
      checkName("project", project);
      checkLength("version", version, { max: versionLengthMax });
      return streams.open({ project, version, position }, context.signal);
    },
  };
}
