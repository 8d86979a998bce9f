import type { ReplicateRequest } from "../../gen/headwater/v1/mesh_pb.ts";
import { isName } from "../flag/name.ts";
import { holdingsCountMax, nodeIdBytesMax } from "../limits.ts";
import { keyBytes } from "../trust/key.ts";
import { protocolVersion } from "./protocol.ts";

/** Everything that a child can get wrong when it opens a link, by field. */
export function requestProblem(request: ReplicateRequest): string | undefined {
  if (request.protocol < 1)
    return `protocol: ${request.protocol}; this node speaks 1 to ${protocolVersion}`;
  if (!isName(request.node)) return "node: not a name";
  if (request.nodeId.length > nodeIdBytesMax) return `node_id: longer than ${nodeIdBytesMax} bytes`;
  return holdingsProblem("holdings", request.holdings);
}

export function holdingsProblem(
  field: string,
  holdings: ReplicateRequest["holdings"],
): string | undefined {
  if (holdings.length > holdingsCountMax)
    return `${field}: ${holdings.length}, a link is about ${holdingsCountMax} ledgers`;
  const wrong = holdings.findIndex(
    ({ ledger, position, trustDigest }) =>
      ledger === undefined ||
      !isName(ledger.project) ||
      ledger.authority.length !== keyBytes ||
      trustDigest.length > keyBytes ||
      (position?.digest.length ?? 0) > keyBytes,
  );
  return wrong < 0 ? undefined : `${field}[${wrong}]: not a ledger and what is held of it`;
}
