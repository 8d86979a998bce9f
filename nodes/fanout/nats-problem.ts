import { ErrorCode } from "nats";
import { maxPayloadMin } from "./part.ts";

/** Why there is no connection, in words for the person who runs the node; never a secret. */
export function natsProblem(error: unknown, servers: readonly string[]): string {
  const where = `NATS at ${servers.join(", ")}`;
  switch (codeOf(error)) {
    case ErrorCode.ConnectionRefused:
    case "ECONNREFUSED":
      return `${where} can not be reached: nothing listens there`;
    case ErrorCode.AuthorizationViolation:
    case ErrorCode.BadAuthentication:
    case ErrorCode.BadCreds:
      return `${where} refuses this node: check the user and password in HEADWATER_NATS_URL, or HEADWATER_NATS_CREDENTIALS_FILE`;
    case ErrorCode.AuthenticationExpired:
    case ErrorCode.AccountExpired:
      return `${where} refuses this node: its user or account has expired`;
    case ErrorCode.Timeout:
    case ErrorCode.ConnectionTimeout:
    case ErrorCode.AuthenticationTimeout:
      return `${where} does not answer`;
    case ErrorCode.ServerOptionNotAvailable:
      return `${where} has no TLS, which tls:// in HEADWATER_NATS_URL asks for`;
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return `${where} can not be reached: no such host name`;
    case undefined:
      return `the connection to ${where} was lost`;
    default:
      return `${where} can not be used: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** The client is connected, but may not do what a node does. */
export function permissionProblem(operation: string, subject: string): string {
  return (
    `NATS does not permit this node's ${operation} of ${subject}: ` +
    "allow its user to publish and subscribe to headwater.>"
  );
}

/** The client is connected, but what a node says does not fit. */
export function payloadProblem(maxPayload: number): string {
  return (
    `NATS takes no message above ${maxPayload} bytes, too few for a node: ` +
    `set its max_payload to ${maxPayloadMin} or more (its default is 1 MB)`
  );
}

function codeOf(error: unknown): string | undefined {
  if (error === undefined || error === null) return undefined;
  return error instanceof Error && "code" in error ? String(error.code) : "";
}
