import { clone, fromBinary, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Envelope, EnvelopeSchema } from "../../../gen/headwater/v1/ledger_pb.ts";
import { envelopeRestBytesMax, signaturesCountMax } from "../../../relay/limits.ts";
import { isSealedBy, payloadType, preAuthEncoding, seal } from "../../../relay/trust/envelope.ts";
import { keyOf } from "../authority.ts";

const [a, b, c] = [keyOf("a"), keyOf("b"), keyOf("c")];
const payload = Buffer.from("hello world");
const type = payloadType.head;

test("what is signed is DSSE's pre-authentication encoding", () => {
  // https://github.com/secure-systems-lab/dsse/blob/v1.0.0/protocol.md, test vectors
  expect(Buffer.from(preAuthEncoding("http://example.com/HelloWorld", payload)).toString()).toBe(
    "DSSEv1 29 http://example.com/HelloWorld 11 hello world",
  );
});

test("every type is bound into the signature: none passes for another", () => {
  const types = Object.values(payloadType);
  expect(new Set(types).size).toBe(types.length);
  for (const sealed of types)
    for (const asked of types) {
      const envelope = seal({ type: sealed, payload, keys: [a] });
      const of = { keys: [a.publicKey], threshold: 1 };
      expect(isSealedBy({ envelope, type: asked, ...of })).toBe(sealed === asked);
      const renamed = { ...envelope, payloadType: asked };
      expect(isSealedBy({ envelope: renamed, type: asked, ...of })).toBe(sealed === asked);
    }
});

describe("a threshold", () => {
  const keys = [a.publicKey, b.publicKey, c.publicKey];
  const sealedBy = (signers: (typeof a)[], of: { keys?: Uint8Array[]; threshold: number }) =>
    isSealedBy({ envelope: seal({ type, payload, keys: signers }), type, keys, ...of });

  test("counts different keys", () => {
    expect(sealedBy([a], { threshold: 1 })).toBe(true);
    expect(sealedBy([a], { threshold: 2 })).toBe(false);
    expect(sealedBy([c, a], { threshold: 2 })).toBe(true);
    expect(sealedBy([keyOf("d"), a], { threshold: 2 })).toBe(false);
  });

  test("is not reached by one key that has signed twice, or is listed twice", () => {
    expect(sealedBy([a, a], { threshold: 2 })).toBe(false);
    expect(sealedBy([a], { keys: [a.publicKey, a.publicKey], threshold: 2 })).toBe(false);
    expect(sealedBy([a, a], { keys: [a.publicKey, a.publicKey], threshold: 2 })).toBe(false);
  });

  test("of none is never reached, and nobody's signature is none", () => {
    expect(sealedBy([a], { threshold: 0 })).toBe(false);
    expect(sealedBy([], { threshold: 1 })).toBe(false);
    expect(sealedBy([a], { keys: [], threshold: 1 })).toBe(false);
  });

  test("is looked for among a bounded number of signatures", () => {
    const many = (count: number) => Array.from({ length: count }, () => a);
    expect(sealedBy(many(signaturesCountMax), { threshold: 1 })).toBe(true);
    expect(sealedBy(many(signaturesCountMax + 1), { threshold: 1 })).toBe(false);
  });
});

test("nothing may be put around the payload that all would have to carry", () => {
  const sealed = seal({ type, payload, keys: [a] });
  const padding = new Uint8Array(envelopeRestBytesMax);
  const unknown = [{ no: 99, wireType: 2, data: padding }];
  const [signature] = sealed.signatures;
  const padded: Record<string, Envelope> = {
    "a signature": { ...sealed, signatures: [{ ...signature!, sig: padding }, signature!] },
    "the id of a key": {
      ...sealed,
      signatures: [{ ...signature!, keyid: "0".repeat(envelopeRestBytesMax) }],
    },
    "an unknown field": { ...sealed, $unknown: unknown },
    "one of a signature": { ...sealed, signatures: [{ ...signature!, $unknown: unknown }] },
  };
  const taken = Object.entries(padded).filter(([, envelope]) =>
    isSealedBy({ envelope, type, keys: [a.publicKey], threshold: 1 }),
  );
  expect(taken).toEqual([]);
  const few = { ...sealed, $unknown: [{ no: 99, wireType: 2, data: new Uint8Array(100) }] };
  expect(isSealedBy({ envelope: few, type, keys: [a.publicKey], threshold: 1 })).toBe(true);
});

test("the key's id is a hint that is never trusted", () => {
  const envelope = seal({ type, payload, keys: [a] });
  envelope.signatures[0]!.keyid = "ffffffffffffffff";
  expect(isSealedBy({ envelope, type, keys: [a.publicKey], threshold: 1 })).toBe(true);
  const forged = seal({ type, payload, keys: [b] });
  forged.signatures[0]!.keyid = seal({ type, payload, keys: [a] }).signatures[0]!.keyid;
  expect(isSealedBy({ envelope: forged, type, keys: [a.publicKey], threshold: 1 })).toBe(false);
});

test("any flipped bit of payload or signature is noticed, on any way over the wire (I7)", () => {
  const whole = fromBinary(
    EnvelopeSchema,
    toBinary(EnvelopeSchema, seal({ type, payload, keys: [a] })),
  );
  expect(isSealedBy({ envelope: whole, type, keys: [a.publicKey], threshold: 1 })).toBe(true);
  fc.assert(
    fc.property(fc.boolean(), fc.nat(), fc.nat(7), (ofPayload, at, bit) => {
      const envelope = clone(EnvelopeSchema, whole);
      const bytes = ofPayload ? envelope.payload : envelope.signatures[0]!.sig;
      bytes[at % bytes.length]! ^= 1 << bit;
      expect(isSealedBy({ envelope, type, keys: [a.publicKey], threshold: 1 })).toBe(false);
    }),
    { numRuns: 300 },
  );
});
