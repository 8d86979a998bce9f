import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { type Envelope, TrustSchema } from "../../../gen/headwater/v1/ledger_pb.ts";
import { endedGrantsCountMax } from "../../../relay/limits.ts";
import type { SigningKey } from "../../../relay/trust/key.ts";
import { storedTrust, trustToStore } from "../../../relay/trust/stored-trust.ts";
import {
  authorityOf,
  extendTrust,
  formerLedgerKeysOf,
  type Trusted,
  trustMessage,
} from "../../../relay/trust/trusted.ts";
import { keyOf, sealedGrant, sealedRoot, valueOf } from "../authority.ts";

const project = "horizon";
const [first, second, stranger] = [keyOf("first"), keyOf("second"), keyOf("stranger")];
const root1 = sealedRoot({ project, version: 1, keys: [first], signers: [first] });
const root2 = sealedRoot({ project, version: 2, keys: [second], signers: [first, second] });
const pinned = { authority: authorityOf(root1), project };

test("has the ledger keys that ended with their root, over a restart too, and sends them nobody", () => {
  const rotated = rotatedAfter([ledgerGrant(1, first), beatGrant()]);
  expect(formerLedgerKeysOf(rotated, 1)).toEqual([keyOf("ledger 1").publicKey]);
  expect(trustMessage(rotated).grants).toEqual([]);
  const again = valueOf(storedTrust(pinned, trustToStore(rotated)));
  expect(formerLedgerKeysOf(again, 1)).toEqual([keyOf("ledger 1").publicKey]);
  expect(formerLedgerKeysOf(again, 2)).toEqual([]);
});

test("takes up no key of an older root that this root has not signed", () => {
  const grants = [ledgerGrant(1, stranger), ledgerGrant(2, second)];
  const stored = create(TrustSchema, { roots: [root1, root2], grants });
  expect(valueOf(storedTrust(pinned, stored)).ended).toEqual([]);
});

test("keeps the newest of them, up to a bound", () => {
  const terms = (count: number): Envelope[] =>
    Array.from({ length: count }, (_, n) => ledgerGrant(n + 1, first));
  const full = rotatedAfter(terms(endedGrantsCountMax));
  expect(formerLedgerKeysOf(full, 1)).toHaveLength(1);
  const fuller = rotatedAfter(terms(endedGrantsCountMax + 1));
  expect(fuller.ended).toHaveLength(endedGrantsCountMax);
  expect(formerLedgerKeysOf(fuller, 1)).toHaveLength(0);
  expect(valueOf(storedTrust(pinned, trustToStore(fuller))).ended).toEqual(fuller.ended);
});

function rotatedAfter(grants: readonly Envelope[]): Trusted {
  const trust = create(TrustSchema, { roots: [root1], grants: [...grants] });
  const held = valueOf(extendTrust(pinned, undefined, trust));
  return valueOf(extendTrust(pinned, held, create(TrustSchema, { roots: [root2] })));
}

function ledgerGrant(term: number, signer: SigningKey): Envelope {
  const key = keyOf(`ledger ${term}`).publicKey;
  const power = { case: "ledgerKey", value: { term, key } } as const;
  return sealedGrant({ authority: pinned.authority, rootVersion: 1, power, signers: [signer] });
}

function beatGrant(): Envelope {
  const power = { case: "beatKey", value: { key: keyOf("beat").publicKey } } as const;
  return sealedGrant({ authority: pinned.authority, rootVersion: 1, power, signers: [first] });
}
