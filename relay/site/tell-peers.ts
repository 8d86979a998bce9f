import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { SiteRecordsSchema } from "../../gen/headwater/v1/fanout_pb.ts";
import type { Effect } from "../effect.ts";
import type { NodeParts } from "../parts.ts";

/** Something that the other nodes of the site are to keep as well; who hears nothing of it asks. */
export function tellPeers(
  { peers }: NodeParts,
  records: MessageInitShape<typeof SiteRecordsSchema>,
): Effect[] {
  const isNothing = Object.values(records).every(
    (some) => Array.isArray(some) && some.length === 0,
  );
  if (!peers.connected || isNothing) return [];
  return [peers.publish(peers.seal.records(create(SiteRecordsSchema, records)))];
}
