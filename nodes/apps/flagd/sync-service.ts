import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import type { FlagSyncService, SyncFlagsResponse } from "../../../gen/flagd/sync/v1/sync_pb.ts";
import { onlyFor } from "../../../relay/flag/flag-by-release.ts";
import { flagdJson, flagdMetadata } from "../../../relay/flag/flagd-json.ts";
import { nothingVerified } from "./evaluation.ts";
import { checkedJson } from "./flag-set-bound.ts";
import type { FlagSetGroup } from "./flag-set-group.ts";
import type { FlagSetSelection, FlagSetStreams } from "./flag-set-streams.ts";
import { selectorOf } from "./request-selector.ts";
import { selectedProject } from "./selected-project.ts";

/** All flags for flagd's in-process clients: the whole set at once, then after each change. */
export function syncService(streams: FlagSetStreams): ServiceImpl<typeof FlagSyncService> {
  const { access } = streams;
  const selectionOf = (context: HandlerContext, field: string): FlagSetSelection => {
    const { project, version } = selectorOf(context, field);
    return { project: selectedProject(access, project), version };
  };
  return {
    syncFlags: ({ selector }, context) =>
      streams.open({
        selections: [selectionOf(context, selector)],
        signal: context.signal,
        take: newestOf(),
      }),
    fetchAllFlags: ({ selector }, context) => {
      const { project, version } = selectionOf(context, selector);
      const set = access.reads.flagSet(project, access.now().wallMs);
      if (set === undefined) throw nothingVerified("unavailable", project);
      const flags = version === "" ? set.flags : set.flags.map((flag) => onlyFor(flag, version));
      return { flagConfiguration: checkedJson(flagdJson({ ...set, flags })) };
    },
    getMetadata: (_, context) => {
      const { project } = selectionOf(context, "");
      const standing = access.reads.standing(project, access.now().wallMs);
      return { metadata: standing === undefined ? {} : flagdMetadata(standing) };
    },
  };
}

/**
 * The newest set whenever it is not the one that was taken last: whoever reads slowly misses what
 * is between, never the last.
 */
function newestOf(): (groups: readonly FlagSetGroup[]) => SyncFlagsResponse | undefined {
  let taken = 0;
  return ([group]) => {
    if (group === undefined || group.revision === taken) return undefined;
    taken = group.revision;
    return group.message();
  };
}
