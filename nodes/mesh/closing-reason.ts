import { type StatusObject, status } from "@grpc/grpc-js";
import { statusText } from "./call-error.ts";

/** Where a link led, as `host:port`, and whether a token named the authority there. */
export interface Target {
  readonly address: string;
  readonly isPinned: boolean;
}

const question = "is it the mesh address of a Headwater node?";

/** Why a dial came to nothing before anything was sent, in a sentence for the operator. */
export function undialledReason({ address }: Target, error: unknown): string {
  const why = error instanceof Error ? error.message : String(error);
  return `can not dial ${address}: ${why}`;
}

/** Why nobody waits any longer for the first frame. */
export function silenceReason(of: {
  readonly target: Target;
  readonly afterMs: number;
  /** Something has accepted a connection. */
  readonly isReached: boolean;
  /** And has shown a certificate that is believed. */
  readonly isSecure: boolean;
}): string {
  const { address } = of.target;
  const time = `within ${of.afterMs / 1_000} s`;
  if (!of.isReached) return `${address} has not answered ${time}`;
  if (!of.isSecure) return `${address} accepts connections but has not answered with TLS ${time}`;
  return `${address} has sent no frame ${time}; ${question}`;
}

/** What a certificate is when no known authority has signed it, as OpenSSL puts it. */
const unknownAuthority: ReadonlySet<string> = new Set([
  "CERT_SIGNATURE_FAILURE",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
]);

/** Why there was no TLS connection. */
export function handshakeReason({ address, isPinned }: Target, error: unknown): string {
  const { code = "", message = String(error) } = error as Partial<NodeJS.ErrnoException>;
  if (unknownAuthority.has(code))
    return isPinned
      ? `the certificate of ${address} is not one of the site that was joined; ask for a new token if that site began anew`
      : `the certificate of ${address} is of no authority known here; join with a token, or set HEADWATER_TLS_CA_FILE`;
  switch (code) {
    case "CERT_HAS_EXPIRED":
      return `the certificate of ${address} has expired`;
    case "CERT_NOT_YET_VALID":
      return `the certificate of ${address} is not valid yet; is the clock of this machine right?`;
    case "ERR_TLS_CERT_ALTNAME_INVALID":
      return `the certificate of ${address} is for another host`;
    case "ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL":
      return `${address} does not speak HTTP/2; ${question}`;
    case "ECONNRESET":
      return `${address} has closed the connection during the TLS handshake; ${question}`;
  }
  if (code.startsWith("ERR_SSL_")) return `${address} does not speak TLS (${code}); ${question}`;
  return `the TLS handshake with ${address} has failed: ${code === "" ? message : code}`;
}

/** Why a call has ended. Texts of grpc-js are known by their beginnings; a parent's are quoted. */
export function statusReason({ address }: Target, ended: StatusObject): string {
  const { code, details } = ended;
  if (code === status.OK) return "the parent has ended the link";
  if (details.startsWith("No connection established")) return unconnectedReason(address, details);
  if (details.startsWith("Name resolution failed"))
    return `the host name in ${address} can not be resolved`;
  if (details === "Connection dropped") return `the connection to ${address} was lost`;
  if (details.startsWith("Received HTTP status") || code === status.UNIMPLEMENTED)
    return `${address} does not know the calls of Headwater; ${question}`;
  if (/^(Received message larger|Response message parsing)/.test(details))
    return `${address} has sent something that is no frame; ${question}`;
  if (code === status.DEADLINE_EXCEEDED) return "the parent has not answered in time";
  if (code === status.UNAUTHENTICATED || code === status.PERMISSION_DENIED)
    return `the parent refuses this node: ${statusText(ended)}`;
  return `the parent says: ${statusText(ended)}`;
}

function unconnectedReason(address: string, details: string): string {
  const code = /\bE[A-Z]{4,}\b/.exec(details)?.[0] ?? "no connection";
  if (code === "ECONNREFUSED") return `nothing listens at ${address} (connection refused)`;
  return `${address} can not be reached (${code})`;
}
