import { type ContextKey, createContextKey, type HandlerContext } from "@connectrpc/connect";
import type { Origin } from "../../relay/event.ts";
import { actorLengthMax, commitLengthMax } from "../../relay/limits.ts";
import { HeadwaterError } from "../error.ts";
import { remoteAddressOf } from "../http/connect.ts";
import type { Admitted } from "./authorization.ts";

const nobody: Admitted = { token: "", scopes: new Set() };

/** By which token a call was let in. */
export const admittedKey: ContextKey<Admitted> = createContextKey(nobody, {
  description: "admitted",
});

/** Where a client says who asks, percent-encoded. */
const actorHeader = "headwater-actor";

/**
 * For the audit: who says that they ask, else the address; by which token, and from where.
 * @throws HeadwaterError `invalid` past a bound
 */
export function originOf(
  context: HandlerContext,
  said: { readonly actor?: string; readonly commit?: string } = {},
): Origin {
  const address = remoteAddressOf(context);
  const actor = said.actor || actorOf(context) || address;
  const { commit = "" } = said;
  assertLength("actor", actor, actorLengthMax);
  assertLength("commit", commit, commitLengthMax);
  return { actor, token: context.values.get(admittedKey).token, address, commit };
}

function actorOf(context: HandlerContext): string {
  try {
    return decodeURIComponent(context.requestHeader.get(actorHeader) ?? "");
  } catch {
    // No text at all: the address has to do.
    return "";
  }
}

function assertLength(field: string, text: string, lengthMax: number): void {
  if (text.length <= lengthMax) return;
  const message = `${field}: ${text.length} characters; at most ${lengthMax} are allowed`;
  throw new HeadwaterError({ kind: "invalid", message });
}
