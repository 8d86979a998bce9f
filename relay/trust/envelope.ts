import { create } from "@bufbuild/protobuf";
import { type Envelope, EnvelopeSchema } from "../../gen/headwater/v1/ledger_pb.ts";
import { envelopeRestBytesMax, signaturesCountMax } from "../limits.ts";
import { isSignedBy, keyIdOf, type SigningKey, toHex } from "./key.ts";

/** What an envelope holds; bound into the signature, so that none passes for another. */
export const payloadType = {
  root: "application/vnd.headwater.root.v1+protobuf",
  grant: "application/vnd.headwater.grant.v1+protobuf",
  head: "application/vnd.headwater.head.v1+protobuf",
  beat: "application/vnd.headwater.beat.v1+protobuf",
  credential: "application/vnd.headwater.credential.v1+protobuf",
  sitePins: "application/vnd.headwater.site-pins.v1+protobuf",
  siteChildren: "application/vnd.headwater.site-children.v1+protobuf",
  siteConsents: "application/vnd.headwater.site-consents.v1+protobuf",
  siteRecords: "application/vnd.headwater.site-records.v1+protobuf",
} as const;

export type PayloadType = (typeof payloadType)[keyof typeof payloadType];

/** Signs the payload's very bytes (DSSE 1.0). */
export function seal(of: {
  type: PayloadType;
  payload: Uint8Array;
  keys: readonly SigningKey[];
}): Envelope {
  const message = preAuthEncoding(of.type, of.payload);
  return create(EnvelopeSchema, {
    payloadType: of.type,
    payload: of.payload,
    signatures: of.keys.map((key) => ({ keyid: keyIdOf(key.publicKey), sig: key.sign(message) })),
  });
}

/** Whether at least `threshold` different ones of these keys have signed the payload. */
export function isSealedBy(of: {
  envelope: Envelope;
  type: PayloadType;
  keys: readonly Uint8Array[];
  threshold: number;
}): boolean {
  const { envelope, keys } = of;
  if (envelope.payloadType !== of.type || of.threshold < 1) return false;
  if (envelope.signatures.length > signaturesCountMax) return false;
  if (restBytesOf(envelope) > envelopeRestBytesMax) return false;
  const message = preAuthEncoding(of.type, envelope.payload);
  const signers = keys.filter((publicKey) =>
    envelope.signatures.some(({ sig }) => isSignedBy({ publicKey, message, signature: sig })),
  );
  return new Set(signers.map(toHex)).size >= of.threshold;
}

/** What an unknown field has before its data, at most. */
const fieldTagBytesMax = 5;

/** Bytes of what is not signed. */
function restBytesOf(envelope: Envelope): number {
  let bytes = 0;
  for (const { keyid, sig } of envelope.signatures) bytes += Buffer.byteLength(keyid) + sig.length;
  for (const { $unknown = [] } of [envelope, ...envelope.signatures])
    for (const { data } of $unknown) bytes += fieldTagBytesMax + data.length;
  return bytes;
}

/** PAE of https://github.com/secure-systems-lab/dsse/blob/v1.0.0/protocol.md. */
export function preAuthEncoding(type: string, payload: Uint8Array): Uint8Array {
  const typeBytes = Buffer.byteLength(type);
  const head = Buffer.from(`DSSEv1 ${typeBytes} ${type} ${payload.length} `);
  return Buffer.concat([head, payload]);
}
