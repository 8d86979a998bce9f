import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import type { FlagSyncService, SyncFlagsResponse } from "../../../gen/flagd/sync/v1/sync_pb.ts";
import { type FlagScope, onlyFor } from "../../../relay/flag/flag-by-release.ts";
import { flagdJson, flagdMetadata } from "../../../relay/flag/flagd-json.ts";
import { nothingVerified } from "./evaluation.ts";
import { checkedJson } from "./flag-set-bound.ts";
import type { FlagSetGroup } from "./flag-set-group.ts";
import type { FlagSetStreams } from "./flag-set-streams.ts";
import { selectorOf } from "./request-selector.ts";
import { selectedProject } from "./selected-project.ts";
import type { Selector } from "./selector.ts";

/** All flags for flagd's in-process clients: the whole set at once, then after each change. */
export function syncService(streams: FlagSetStreams): ServiceImpl<typeof FlagSyncService> {
  const { access } = streams;
  const selectorOfCall = (context: HandlerContext, field: string): Selector => {
    const selector = selectorOf(context, field);
    return { ...selector, project: selectedProject(access, selector.project) };
  };
  return {
    syncFlags: (request, context) => {
      const selector = selectorOfCall(context, request.selector);
      const { signal } = context;
      return streams.open({ projects: [selector.project], signal, take: newestFor(selector) });
    },
    fetchAllFlags: (request, context) => {
      const selector = selectorOfCall(context, request.selector);
      const { project } = selector;
      const set = access.reads.flagSet(project, access.now().wallMs);
      if (set === undefined) throw nothingVerified("unavailable", project);
      const flags = set.flags.map((flag) => onlyFor(flag, selector));
      return { flagConfiguration: checkedJson(flagdJson({ ...set, flags })) };
    },
    getMetadata: (_, context) => {
      const { project } = selectorOfCall(context, "");
      const standing = access.reads.standing(project, access.now().wallMs);
      return { metadata: standing === undefined ? {} : flagdMetadata(standing) };
    },
  };
}

/**
 * The newest set whenever it is not the one that was taken last: whoever reads slowly misses what
 * is between, never the last.
 */
function newestFor(
  scope: FlagScope,
): (groups: readonly FlagSetGroup[]) => SyncFlagsResponse | undefined {
  let taken = 0;
  return ([group]) => {
    if (group === undefined || group.revision === taken) return undefined;
    taken = group.revision;
    return group.message(scope);
  };
}
