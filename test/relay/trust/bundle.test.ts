import { create } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import {
  BeatKeySchema,
  LedgerKeySchema,
  OverlayAuthoritySchema,
  TrustSchema,
} from "../../../gen/headwater/v1/ledger_pb.ts";
import {
  addGrant,
  type Bundle,
  bundleTrust,
  grantIdOf,
  missingSignatures,
  openBundle,
  type Power,
  rotateBundle,
  signBundle,
} from "../../../relay/trust/bundle.ts";
import { type SigningKey, sha256 } from "../../../relay/trust/key.ts";
import { beatKeysOf, extendTrust, ledgerKeyOf } from "../../../relay/trust/trusted.ts";
import { Authority, epochMs, keyOf, refusalOf, sealedRoot, seedOf, valueOf } from "../authority.ts";

const authority = new Authority();
const held = (): Bundle => valueOf(openBundle(authority.trust));
const [k2, k3, k4] = [keyOf("second"), keyOf("third"), keyOf("fourth")];

function rotated(of: Partial<Parameters<typeof rotateBundle>[0]> = {}): Bundle {
  return valueOf(rotation(of));
}

function rotation(of: Partial<Parameters<typeof rotateBundle>[0]> = {}) {
  return rotateBundle({
    bundle: held(),
    keys: [],
    threshold: undefined,
    without: [],
    more: [],
    wallMs: epochMs,
    ...of,
  });
}

function signedBy(bundle: Bundle, ...keys: SigningKey[]): Bundle {
  return valueOf(signBundle(bundle, keys));
}

/** What a node that holds the first root makes of it. */
function heardBy(bundle: Bundle) {
  return extendTrust(authority.trusted, authority.trusted, bundleTrust(bundle));
}

function ledgerPower(term: number, key: SigningKey): Power {
  return { case: "ledgerKey", value: create(LedgerKeySchema, { term, key: key.publicKey }) };
}

describe("a rotation", () => {
  test("is taken by who holds the old root, with all that was granted", () => {
    const bundle = signedBy(rotated({ keys: [k2.publicKey] }), authority.rootKey, k2);
    expect(missingSignatures(bundle)).toEqual([]);
    const trusted = valueOf(heardBy(bundle));
    expect(trusted.root).toMatchObject({ version: 2, threshold: 1, keys: [k2.publicKey] });
    const { ledgerKey, beatKey } = authority.writer;
    expect(ledgerKeyOf(trusted, { term: 1, wallMs: epochMs })).toEqual(ledgerKey.publicKey);
    expect(beatKeysOf(trusted, epochMs)).toEqual([beatKey.publicKey]);
  });

  test("ends the grants that it leaves out, and brings those of the drawer", () => {
    const stolen = held().grants.find(({ grant }) => grant.power.case === "ledgerKey");
    const without = [grantIdOf(stolen!.envelope)];
    const bundle = signedBy(rotated({ without, more: [ledgerPower(2, k3)] }), authority.rootKey);
    const trusted = valueOf(heardBy(bundle));
    expect(ledgerKeyOf(trusted, { term: 1, wallMs: epochMs })).toBeUndefined();
    expect(ledgerKeyOf(trusted, { term: 2, wallMs: epochMs })).toEqual(k3.publicKey);
  });

  test("does not sign again what has expired", () => {
    const power: Power = { case: "beatKey", value: create(BeatKeySchema, { key: k4.publicKey }) };
    const expiresMs = BigInt(epochMs);
    const granted = signedBy(valueOf(addGrant(held(), { power, expiresMs })), authority.rootKey);
    const next = signedBy(rotated({ bundle: granted }), authority.rootKey);
    expect(granted.grants).toHaveLength(3);
    expect(next.grants).toHaveLength(2);
  });

  test.each<[string, SigningKey[], RegExp]>([
    ["the old keys alone", [authority.rootKey], /root 2: 1 more of the keys of root 2.*grant/s],
    ["the new keys alone", [k2], /^root 2: 1 more of the keys of root 1$/],
  ])("that %s have signed says who is missing, and nobody takes it", (_, keys, missing) => {
    const bundle = signedBy(rotated({ keys: [k2.publicKey] }), ...keys);
    expect(missingSignatures(bundle).join("\n")).toMatch(missing);
    expect(refusalOf(heardBy(bundle))).toMatch(/^forbidden: roots: version 2 is not signed by 1/);
  });

  test("is signed by several keys on several machines, one after the other, once each", () => {
    const keys = [k2.publicKey, k3.publicKey, k4.publicKey];
    let bundle = rotated({ keys, threshold: 2 });
    for (const key of [authority.rootKey, k2, k2]) {
      bundle = valueOf(openBundle(bundleTrust(signedBy(bundle, key))));
      expect(missingSignatures(bundle)).not.toEqual([]);
    }
    const [root] = bundle.roots.slice(-1);
    expect(root?.envelope.signatures).toHaveLength(2);
    bundle = signedBy(bundle, k4);
    expect(missingSignatures(bundle)).toEqual([]);
    expect(valueOf(heardBy(bundle)).root).toMatchObject({ version: 2, threshold: 2 });
  });

  test.each<[string, Partial<Parameters<typeof rotateBundle>[0]>, string]>([
    ["a threshold above its keys", { threshold: 2 }, "invalid: threshold: 2 of 1 keys"],
    ["a key twice", { keys: [k2.publicKey, k2.publicKey] }, "invalid: new-key: one of them"],
    [
      "too many keys",
      { keys: Array.from({ length: 17 }, (_, n) => keyOf(String(n)).publicKey) },
      "limit: new-key: 17",
    ],
    ["a grant left out that there is not", { without: ["00000000"] }, "unknown: grant 00000000"],
    ["another key for a term", { more: [ledgerPower(1, k2)] }, "conflict: term: another key"],
    ["a former one unfinished", { bundle: rotated({ keys: [k2.publicKey] }) }, "conflict: bundle"],
  ])("with %s is refused", (_, of, why) => {
    expect(refusalOf(rotation(of))).toContain(why);
  });
});

describe("a signature", () => {
  test("by a stranger's key is refused, and names no secret", () => {
    const refusal = refusalOf(signBundle(held(), [k4]));
    expect(refusal).toMatch(/^forbidden: root key [0-9a-f]{16}: it is no key of root 1$/);
    expect(refusal).not.toContain(Buffer.from(k4.seed).toString("base64url"));
  });
});

describe("a grant", () => {
  const vendor = seedOf("vendor");
  const power: Power = {
    case: "overlay",
    value: create(OverlayAuthoritySchema, { authority: vendor, pinBasisPointsMax: 2000 }),
  };

  test("joins those that are there, and counts once it is signed", () => {
    const bundle = valueOf(addGrant(held(), { power, expiresMs: 0n }));
    expect(missingSignatures(bundle)).toHaveLength(1);
    expect(refusalOf(heardBy(bundle))).toContain("not signed by root version 1");
    expect(valueOf(heardBy(signedBy(bundle, authority.rootKey))).grants).toHaveLength(3);
    expect(valueOf(addGrant(bundle, { power, expiresMs: 0n })).grants).toHaveLength(3);
  });
});

describe("a bundle", () => {
  test("comes back as it went", () => {
    expect(bundleTrust(held())).toEqual(authority.trust);
  });

  test.each<[string, Parameters<typeof create<typeof TrustSchema>>[1], string]>([
    ["without a root", {}, "there is none"],
    ["of no root", { roots: [{ payload: Buffer.from([0xff]) }] }, "not a root document"],
    [
      "whose first root is not signed",
      { roots: [{ ...authority.root, signatures: [] }] },
      "version 1 is not signed",
    ],
    [
      "with a gap",
      {
        roots: [
          authority.root,
          sealedRoot({ project: "horizon", version: 3, keys: [k2], signers: [k2] }),
        ],
      },
      "version 3 follows 1",
    ],
    [
      "with a grant of another authority",
      { roots: [authority.root], grants: [new Authority({ name: "other" }).trust.grants[0]!] },
      "another authority",
    ],
  ])("%s is refused", (_, trust, why) => {
    expect(refusalOf(openBundle(create(TrustSchema, trust)))).toContain(why);
  });

  test("names its authority, which no rotation changes", () => {
    const bundle = signedBy(rotated({ keys: [k2.publicKey] }), authority.rootKey, k2);
    expect(valueOf(openBundle(bundleTrust(bundle))).authority).toEqual(
      sha256(authority.root.payload),
    );
  });
});
