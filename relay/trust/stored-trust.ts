import { create } from "@bufbuild/protobuf";
import {
  type Envelope,
  type Grant,
  type Trust,
  TrustSchema,
} from "../../gen/headwater/v1/ledger_pb.ts";
import { done, type Outcome } from "../refusal.ts";
import { isSealedBy, payloadType } from "./envelope.ts";
import {
  extendTrust,
  newest,
  type Pinned,
  parseGrant,
  parseRoot,
  type Trusted,
  trustMessage,
} from "./trusted.ts";

/** As it is sent, and with the ledger keys of older roots, which nobody else needs. */
export function trustToStore(trusted: Trusted): Trust {
  const message = trustMessage(trusted);
  const ended = trusted.ended.map(({ envelope }) => envelope);
  return create(TrustSchema, { ...message, grants: [...message.grants, ...ended] });
}

/** What `trustToStore` has written. A key of an older root is good only if that root has signed it. */
export function storedTrust(pinned: Pinned, stored: Trust): Outcome<Trusted> {
  const trusted = extendTrust(pinned, undefined, stored);
  if (!trusted.ok) return trusted;
  const ended = stored.grants.flatMap((envelope) => {
    const grant = parseGrant(envelope, pinned);
    return grant.ok && isOfOlderRoot(trusted.value, envelope, grant.value)
      ? [{ envelope, grant: grant.value }]
      : [];
  });
  return done({ ...trusted.value, ended: newest(ended) });
}

function isOfOlderRoot(trusted: Trusted, envelope: Envelope, { rootVersion }: Grant): boolean {
  const signed = trusted.roots[rootVersion - 1];
  if (signed === undefined || rootVersion >= trusted.root.version) return false;
  const root = parseRoot(signed, trusted.project);
  if (!root.ok) return false;
  const { keys, threshold } = root.value;
  return isSealedBy({ envelope, type: payloadType.grant, keys, threshold });
}
