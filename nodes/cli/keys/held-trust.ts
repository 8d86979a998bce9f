import type { GetTrustResponse } from "../../../gen/headwater/v1/ledgers_pb.ts";
import { bytesEqual } from "../../../relay/trust/key.ts";
import { formatFingerprint, parseFingerprint } from "../../config/fingerprint.ts";
import { HeadwaterError } from "../../error.ts";
import type { AdminClient } from "../admin-client.ts";

/**
 * What the node holds of the authority that a file is of: the project's own, or an overlay's.
 * @throws HeadwaterError `forbidden` when it holds another, else what `adminError` explains
 */
export async function heldTrust(
  admin: AdminClient,
  of: { project: string; authority: Uint8Array; path: string },
): Promise<GetTrustResponse> {
  const { project, authority, path } = of;
  const own = await admin.ledgers.getTrust({ project });
  const owner = own.ledger?.authority ?? new Uint8Array(0);
  if (bytesEqual(owner, authority)) return own;
  try {
    return await admin.ledgers.getTrust({ project, authority });
  } catch (thrown) {
    if (HeadwaterError.from(thrown).kind !== "unknown") throw thrown;
    throw new HeadwaterError({
      kind: "forbidden",
      message: `${path}: it is of authority ${formatFingerprint(authority)}, this node holds ${formatFingerprint(owner)}`,
      hint: "Another authority is never taken on: find out which is right.",
      cause: thrown,
    });
  }
}

/**
 * The authority that `--overlay` names; empty, the project's own, without it.
 * @throws HeadwaterError `invalid`
 */
export function overlayOption(text: string | undefined): Uint8Array {
  if (text === undefined) return new Uint8Array(0);
  const authority = parseFingerprint(text);
  if (authority instanceof Uint8Array) return authority;
  throw new HeadwaterError({ kind: "invalid", message: `--overlay: ${authority.problem}` });
}
