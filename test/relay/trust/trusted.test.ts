import { create } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { type Envelope, type Trust, TrustSchema } from "../../../gen/headwater/v1/ledger_pb.ts";
import { grantsCountMax, rootsCountMax } from "../../../relay/limits.ts";
import { payloadType } from "../../../relay/trust/envelope.ts";
import { type SigningKey, toHex } from "../../../relay/trust/key.ts";
import {
  authorityOf,
  beatKeysOf,
  extendTrust,
  ledgerKeyOf,
  overlayGrantsOf,
  type Trusted,
  trustDigest,
  trustMessage,
} from "../../../relay/trust/trusted.ts";
import {
  epochMs,
  keyOf,
  type Power,
  refusalOf,
  sealedGrant,
  sealedRoot,
  seedOf,
  valueOf,
} from "../authority.ts";

const project = "horizon";
const [k1, k2, k3, k4] = [keyOf("1"), keyOf("2"), keyOf("3"), keyOf("4")];
const root1 = sealedRoot({ project, version: 1, keys: [k1, k2], signers: [k1, k2], threshold: 2 });
const authority = authorityOf(root1);
const pinned = { authority, project };
const root2 = rotation(2, [k2, k3], [k1, k2, k3]);
const root3 = rotation(3, [k4], [k2, k3, k4]);

const at = { term: 1, wallMs: epochMs };

describe("the first root", () => {
  test("is taken when it is the pinned one, and signed by its own threshold", () => {
    const trusted = valueOf(extend(undefined, [root1]));
    expect(trusted.root).toMatchObject({ version: 1, threshold: 2 });
    expect(trustMessage(trusted).roots).toEqual([root1]);
  });

  test("of another authority is refused, with both fingerprints", () => {
    const other = sealedRoot({ project, version: 1, keys: [k3], signers: [k3] });
    const refusal = refusalOf(extend(undefined, [other]));
    expect(refusal).toContain(toHex(authority));
    expect(refusal).toContain(toHex(authorityOf(other)));
  });

  test.each<[string, Parameters<typeof sealedRoot>[0], string]>([
    ["one signature too few", { ...of1(), signers: [k1], threshold: 2 }, "not signed by 2"],
    ["one key's signature twice", { ...of1(), signers: [k1, k1], threshold: 2 }, "not signed"],
    ["another project", { ...of1(), project: "oslo" }, "of project"],
    ["no key", { ...of1(), keys: [] }, "keys"],
    ["too many keys", { ...of1(), keys: Array.from({ length: 17 }, () => k1) }, "keys"],
    ["a threshold of none", { ...of1(), threshold: 0 }, "threshold"],
    ["a threshold above its keys", { ...of1(), threshold: 3 }, "threshold"],
    ["version 2", { ...of1(), version: 2 }, "version 2 follows 0"],
    ["version 0", { ...of1(), version: 0 }, "version 0 follows 0"],
  ])("with %s is refused, though it is the pinned one", (_, of, why) => {
    const root = sealedRoot(of);
    const pinnedRoot = { authority: authorityOf(root), project };
    expect(refusalOf(extendTrust(pinnedRoot, undefined, trustOf([root])))).toContain(why);
  });

  test("under another type, or that is no root at all, is refused", () => {
    const asGrant = { ...root1, payloadType: payloadType.grant };
    expect(refusalOf(extend(undefined, [asGrant]))).toContain("not signed");
    const noRoot = { ...root1, payload: Buffer.from([0xff]) };
    expect(refusalOf(extend(undefined, [noRoot]))).toContain("not a root");
    expect(refusalOf(extend(undefined, []))).toContain("there is none");
  });
});

describe("the chain", () => {
  test("grows by roots that the former and the new one have signed", () => {
    const step = valueOf(extend(valueOf(extend(undefined, [root1])), [root2]));
    expect(step.root.version).toBe(2);
    const atOnce = valueOf(extend(undefined, [root1, root2, root3]));
    expect(atOnce.root.version).toBe(3);
    expect(valueOf(extend(step, [root1, root2, root3])).roots).toEqual(atOnce.roots);
  });

  test.each<[string, SigningKey[]]>([
    ["the former root's threshold", [k1, k3]],
    ["its own threshold", [k1, k2]],
    ["anybody", []],
  ])("is not extended without the signatures of %s", (_, signers) => {
    const held = valueOf(extend(undefined, [root1]));
    expect(refusalOf(extend(held, [rotation(2, [k2, k3], signers)]))).toContain("not signed");
  });

  test("is not extended past a version that is missing", () => {
    expect(refusalOf(extend(undefined, [root1, root3]))).toContain("version 3 follows 1");
    const held = valueOf(extend(undefined, [root1]));
    expect(refusalOf(extend(held, [root3]))).toContain("version 3 follows 1");
  });

  test("never has two roots at a version: a different one is refused", () => {
    const held = valueOf(extend(undefined, [root1, root2]));
    const other = rotation(2, [k2, k4], [k1, k2, k4]);
    expect(refusalOf(extend(held, [other]))).toContain("differs from the one held");
    expect(refusalOf(extend(held, [root1, other]))).toContain("differs from the one held");
  });

  test("does not get shorter by hearing less (I3)", () => {
    const held = valueOf(extend(undefined, [root1, root2]));
    expect(valueOf(extend(held, [root1])).root.version).toBe(2);
    expect(valueOf(extend(held, [])).root.version).toBe(2);
  });

  test("has a bound", () => {
    const many = Array.from({ length: rootsCountMax + 1 }, () => root1);
    expect(refusalOf(extend(undefined, many))).toContain("limit");
  });

  test("changes nothing unless all of it checks", () => {
    const held = valueOf(extend(undefined, [root1]));
    const digest = toHex(trustDigest(held));
    const bad = rotation(3, [k4], [k4]);
    expect(extend(held, [root2, bad], [ledgerGrant(1, k3, { rootVersion: 2 })]).ok).toBe(false);
    expect(toHex(trustDigest(held))).toBe(digest);
    expect(held.root.version).toBe(1);
  });
});

describe("a grant", () => {
  test("counts when the newest root's threshold has signed it", () => {
    const trusted = valueOf(extend(undefined, [root1], [ledgerGrant(1, k3)]));
    expect(ledgerKeyOf(trusted, at)).toEqual(k3.publicKey);
    expect(ledgerKeyOf(trusted, { ...at, term: 2 })).toBeUndefined();
  });

  test.each<[string, Envelope, string]>([
    ["signed by too few", ledgerGrant(1, k3, { signers: [k1] }), "not signed"],
    ["signed by strangers", ledgerGrant(1, k3, { signers: [k3, k4] }), "not signed"],
    ["of a root that is not known yet", ledgerGrant(1, k3, { rootVersion: 2 }), "newest here is 1"],
    ["of another authority", ledgerGrant(1, k3, { authority: seedOf("x") }), "another authority"],
    ["that is none", { ...ledgerGrant(1, k3), payload: Buffer.from([0xff]) }, "not a grant"],
    ["under another type", { ...ledgerGrant(1, k3), payloadType: payloadType.root }, "not signed"],
  ])("%s is refused", (_, grant, why) => {
    expect(refusalOf(extend(undefined, [root1], [grant]))).toContain(why);
  });

  test("of an older root has ended with it, and is not taken up again", () => {
    const old = ledgerGrant(1, k3);
    const held = valueOf(extend(undefined, [root1], [old]));
    const rotated = valueOf(extend(held, [root2]));
    expect(ledgerKeyOf(rotated, at)).toBeUndefined();
    expect(ledgerKeyOf(valueOf(extend(rotated, [], [old])), at)).toBeUndefined();
    const renewed = ledgerGrant(1, k4, { rootVersion: 2, signers: [k2, k3] });
    expect(ledgerKeyOf(valueOf(extend(rotated, [], [old, renewed])), at)).toEqual(k4.publicKey);
  });

  test("is joined with those that are known", () => {
    const held = valueOf(extend(undefined, [root1], [ledgerGrant(1, k3)]));
    const both = valueOf(extend(held, [root1], [ledgerGrant(2, k4)]));
    expect(ledgerKeyOf(both, at)).toEqual(k3.publicKey);
    expect(ledgerKeyOf(both, { ...at, term: 2 })).toEqual(k4.publicKey);
    expect(valueOf(extend(both, [root1], [ledgerGrant(1, k3)])).grants).toHaveLength(2);
  });

  test("for a term voids another one for that term, and nothing else", () => {
    const held = valueOf(extend(undefined, [root1], [ledgerGrant(1, k3), ledgerGrant(2, k3)]));
    const voided = valueOf(extend(held, [], [ledgerGrant(1, k4)]));
    expect(ledgerKeyOf(voided, at)).toBeUndefined();
    expect(ledgerKeyOf(voided, { ...at, term: 2 })).toEqual(k3.publicKey);
    const again = valueOf(extend(held, [], [ledgerGrant(1, k3, { expiresMs: epochMs + 1 })]));
    expect(ledgerKeyOf(again, at)).toEqual(k3.publicKey);
  });

  test("counts until it ends", () => {
    const expiresMs = epochMs + 1000;
    const overlay = { authority: seedOf("vendor"), pinBasisPointsMax: 500 };
    const trusted = valueOf(
      extend(
        undefined,
        [root1],
        [
          ledgerGrant(1, k3, { expiresMs }),
          grantOf({ case: "beatKey", value: { key: k4.publicKey } }, { expiresMs }),
          grantOf({ case: "overlay", value: overlay }, { expiresMs }),
        ],
      ),
    );
    const all = (wallMs: number) => [
      ledgerKeyOf(trusted, { term: 1, wallMs }) === undefined ? 0 : 1,
      beatKeysOf(trusted, wallMs).length,
      overlayGrantsOf(trusted, wallMs).length,
    ];
    expect(all(expiresMs - 1)).toEqual([1, 1, 1]);
    expect(all(expiresMs)).toEqual([0, 0, 0]);
  });

  test("is one of a bounded number", () => {
    const grants = Array.from({ length: grantsCountMax + 1 }, (_, n) => ledgerGrant(n, k3));
    expect(extend(undefined, [root1], grants.slice(1)).ok).toBe(true);
    expect(refusalOf(extend(undefined, [root1], grants))).toContain("limit");
  });
});

test("who knows the same has the same digest, whatever came first; who knows less has not", () => {
  const [a, b] = [ledgerGrant(1, k3), ledgerGrant(2, k4)];
  const one = valueOf(extend(valueOf(extend(undefined, [root1], [a])), [], [b]));
  const other = valueOf(extend(undefined, [root1], [b, a]));
  expect(toHex(trustDigest(one))).toBe(toHex(trustDigest(other)));
  const digests = [undefined, valueOf(extend(undefined, [root1])), one].map((known) =>
    toHex(trustDigest(known)),
  );
  expect(new Set(digests).size).toBe(3);
  expect(digests[0]).toBe("");
});

function of1(): Parameters<typeof sealedRoot>[0] {
  return { project, version: 1, keys: [k1, k2], signers: [k1, k2] };
}

function rotation(version: number, keys: SigningKey[], signers: SigningKey[]): Envelope {
  return sealedRoot({ project, version, keys, signers, threshold: keys.length });
}

function trustOf(roots: readonly Envelope[], grants: readonly Envelope[] = []): Trust {
  return create(TrustSchema, { roots: [...roots], grants: [...grants] });
}

function extend(
  known: Trusted | undefined,
  roots: readonly Envelope[],
  grants: readonly Envelope[] = [],
): ReturnType<typeof extendTrust> {
  return extendTrust(pinned, known, trustOf(roots, grants));
}

function grantOf(power: Power, of: Partial<Parameters<typeof sealedGrant>[0]> = {}): Envelope {
  return sealedGrant({ authority, rootVersion: 1, power, signers: [k1, k2], ...of });
}

function ledgerGrant(
  term: number,
  key: SigningKey,
  of: Partial<Parameters<typeof sealedGrant>[0]> = {},
): Envelope {
  return grantOf({ case: "ledgerKey", value: { term, key: key.publicKey } }, of);
}
