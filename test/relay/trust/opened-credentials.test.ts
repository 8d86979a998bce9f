import { create } from "@bufbuild/protobuf";
import { expect, test, vi } from "vitest";
import { EnvelopeSchema } from "../../../gen/headwater/v1/ledger_pb.ts";
import type { Credential } from "../../../gen/headwater/v1/mesh_pb.ts";
import { signCredential } from "../../../relay/trust/join-token.ts";
import { SigningKey } from "../../../relay/trust/key.ts";
import { OpenedCredentials } from "../../../relay/trust/opened-credentials.ts";
import { valueOf } from "../authority.ts";

/** Each costs a signature: five thousand would say no more than three. */
const { openedCredentialsMax } = vi.hoisted(() => ({ openedCredentialsMax: 3 }));
vi.mock("../../../relay/limits.ts", async (actual) => ({
  ...(await actual<object>()),
  openedCredentialsMax,
}));

const siteKey = new SigningKey(new Uint8Array(32).fill(7));
const envelope = signCredential({
  child: "acme",
  id: new Uint8Array(16).fill(1),
  expiresMs: 2_000,
  siteKey,
});

test("one that was opened is opened again, until it ends", () => {
  const opened = new OpenedCredentials();
  const outcomes = [1_000, 1_999, 2_000].map(
    (wallMs) => opened.open(envelope, siteKey.publicKey, wallMs).ok,
  );
  expect(outcomes).toEqual([true, true, false]);
});

test("one that differs in any byte is none that was opened", () => {
  const opened = new OpenedCredentials();
  expect(opened.open(envelope, siteKey.publicKey, 1_000).ok).toBe(true);
  for (let at = 0; at < envelope.payload.length; at++) {
    const payload = envelope.payload.with(at, (envelope.payload[at] ?? 0) ^ 1);
    const altered = create(EnvelopeSchema, { ...envelope, payload });
    expect(opened.open(altered, siteKey.publicKey, 1_000).ok).toBe(false);
  }
  const unsigned = create(EnvelopeSchema, { ...envelope, signatures: [] });
  expect(opened.open(unsigned, siteKey.publicKey, 1_000).ok).toBe(false);
});

test("past so many all are forgotten, and opened anew", () => {
  const opened = new OpenedCredentials();
  const open = (n: number): Credential => {
    const id = new Uint8Array(16).fill(n);
    const signed = signCredential({ child: "acme", id, expiresMs: 2_000, siteKey });
    return valueOf(opened.open(signed, siteKey.publicKey, 1_000));
  };
  const first = open(1);
  for (let n = 2; n <= openedCredentialsMax; n++) open(n);
  expect(open(1)).toBe(first);
  open(openedCredentialsMax + 1);
  expect(open(1)).not.toBe(first);
});

test("none is refused", () => {
  expect(new OpenedCredentials().open(undefined, siteKey.publicKey, 1_000).ok).toBe(false);
});
