import { create, toBinary } from "@bufbuild/protobuf";
import { Metadata } from "@grpc/grpc-js";
import { expect, test } from "vitest";
import { EnvelopeSchema } from "../../../gen/headwater/v1/ledger_pb.ts";
import { peerMetadata, peerOf } from "../../../nodes/mesh/peer.ts";
import { credentialHeaderKeptMax } from "../../../relay/limits.ts";

type Call = Parameters<typeof peerOf>[0];

const envelope = create(EnvelopeSchema, { payloadType: "x", payload: Uint8Array.of(255, 254) });
const encoded = toBinary(EnvelopeSchema, envelope);
const anonymous = { by: "credential", credential: undefined };

function callWith(metadata: Metadata, commonName?: string | string[]): Call {
  const subject = { CN: commonName };
  const context = commonName === undefined ? {} : { sslPeerCertificate: { subject } };
  return { metadata, getAuthContext: () => context as ReturnType<Call["getAuthContext"]> };
}

test("the credential travels as a bearer token", () => {
  const metadata = peerMetadata(encoded);
  const token = Buffer.from(encoded).toString("base64url");
  expect(metadata.getMap()).toEqual({ authorization: `Bearer ${token}` });
  expect(peerOf(callWith(metadata))).toEqual({ by: "credential", credential: envelope });
  expect(peerMetadata(undefined).getMap()).toEqual({});
});

test("a credential counts before a certificate, even a wrong one", () => {
  expect(peerOf(callWith(peerMetadata(encoded), "acme"))).toMatchObject({ credential: envelope });
  expect(peerOf(callWith(peerMetadata(Uint8Array.of(255)), "acme"))).toEqual(anonymous);
});

test("a credential is read once, unless it is longer than one is", () => {
  const credentialOf = (bytes: Uint8Array): unknown => {
    const peer = peerOf(callWith(peerMetadata(bytes)));
    return peer.by === "credential" ? peer.credential : undefined;
  };
  expect(credentialOf(encoded)).toBe(credentialOf(encoded));
  const payload = new Uint8Array(credentialHeaderKeptMax);
  const long = toBinary(EnvelopeSchema, create(EnvelopeSchema, { payload }));
  expect(credentialOf(long)).toEqual(create(EnvelopeSchema, { payload }));
  expect(credentialOf(long)).not.toBe(credentialOf(long));
});

test("another scheme is no credential", () => {
  const metadata = new Metadata();
  metadata.set("authorization", `Basics ${Buffer.from(encoded).toString("base64url")}`);
  expect(peerOf(callWith(metadata))).toEqual(anonymous);
});

test("a certificate counts by its one common name", () => {
  const none = new Metadata();
  expect(peerOf(callWith(none, "acme"))).toEqual({ by: "certificate", name: "acme" });
  expect(peerOf(callWith(none, ["acme", "other"]))).toEqual(anonymous);
  expect(peerOf(callWith(none, ""))).toEqual(anonymous);
  expect(peerOf(callWith(none))).toEqual(anonymous);
});
