import { type StatusObject, status } from "@grpc/grpc-js";
import { statusText } from "./call-error.ts";

/** How far a dial has come when it ends. */
export interface DialEnd {
  /** `host:port`. */
  readonly address: string;
  /** Whether a token named the authority. */
  readonly isPinned: boolean;
  readonly status: StatusObject;
  /** Why the TLS handshake failed, if it did. */
  readonly handshakeError: unknown;
}

/** A sentence for the operator: why a link has ended. */
export function closingReason(end: DialEnd): string {
  const { address, status: ended, handshakeError } = end;
  if (handshakeError !== undefined) return handshakeReason(end, handshakeError);
  const text = statusText(ended);
  console.error("DEBUG", ended.code, text);
  return text;
}
function handshakeReason(end: DialEnd, error: unknown): string {
  console.error("DEBUG handshake", error);
  return String(error);
}
