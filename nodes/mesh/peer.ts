import { fromBinary } from "@bufbuild/protobuf";
import { Metadata, type ServerUnaryCall } from "@grpc/grpc-js";
import { type Envelope, EnvelopeSchema } from "../../gen/headwater/v1/ledger_pb.ts";
import type { Peer } from "../../relay/event.ts";
import { credentialHeaderKeptMax, openedCredentialsMax } from "../../relay/limits.ts";

const header = "authorization";
const scheme = "Bearer ";

/** What proves to a parent who calls; the credential is an encoded `Envelope`. */
export function peerMetadata(credential: Uint8Array | undefined): Metadata {
  const metadata = new Metadata();
  if (credential === undefined) return metadata;
  metadata.set(header, scheme + Buffer.from(credential).toString("base64url"));
  return metadata;
}

/** Who calls, going by the credential or else by a client certificate that TLS has checked. */
export function peerOf(
  call: Pick<ServerUnaryCall<unknown, unknown>, "metadata" | "getAuthContext">,
): Peer {
  const [value] = call.metadata.get(header);
  if (value !== undefined) return { by: "credential", credential: credentialIn(String(value)) };
  const certificate = call.getAuthContext().sslPeerCertificate;
  const name: unknown = certificate?.subject.CN;
  // Of several common names none can be told to be the one that was meant.
  if (typeof name === "string" && name !== "") {
    const issuedMs = Date.parse(certificate?.valid_from ?? "");
    return { by: "certificate", name, issuedMs: Number.isNaN(issuedMs) ? undefined : issuedMs };
  }
  return { by: "credential", credential: undefined };
}

/** What was read lately, by the header: a child shows the same with each call. */
const known = new Map<string, Envelope | undefined>();

function credentialIn(value: string): Envelope | undefined {
  if (known.has(value)) return known.get(value);
  const read = readCredential(value);
  if (value.length > credentialHeaderKeptMax) return read;
  if (known.size >= openedCredentialsMax) known.clear();
  known.set(value, read);
  return read;
}

function readCredential(value: string): Envelope | undefined {
  if (!value.startsWith(scheme)) return undefined;
  try {
    const bytes = Buffer.from(value.slice(scheme.length), "base64url");
    return fromBinary(EnvelopeSchema, new Uint8Array(bytes));
  } catch {
    return undefined;
  }
}
