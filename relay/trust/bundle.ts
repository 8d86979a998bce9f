import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  type Envelope,
  type Grant,
  GrantSchema,
  type Root,
  RootSchema,
  type Trust,
  TrustSchema,
} from "../../gen/headwater/v1/ledger_pb.ts";
import { grantsCountMax, rootKeysCountMax, rootsCountMax } from "../limits.ts";
import { done, type Outcome, refused } from "../refusal.ts";
import { isSealedBy, type PayloadType, payloadType, seal } from "./envelope.ts";
import { bytesEqual, keyIdOf, type SigningKey, sha256, toHex } from "./key.ts";
import {
  authorityOf,
  extendTrust,
  type GrantedPower,
  type Pinned,
  parseGrant,
  parseRoot,
} from "./trusted.ts";

/**
 * All roots and grants of an authority as they are carried between the machines that sign them.
 * The newest root and its grants may still lack signatures; everything before them is checked.
 */
export interface Bundle extends Pinned {
  readonly roots: readonly SignedRoot[];
  readonly newest: Root;
  /** Of the newest root. */
  readonly grants: readonly GrantedPower[];
}

interface SignedRoot {
  readonly envelope: Envelope;
  readonly root: Root;
}

/** What a grant lets another key do. */
export type Power = Grant["power"];

/** First 4 bytes of the grant's SHA-256, hex: for people to name it by. */
export function grantIdOf(envelope: Envelope): string {
  return toHex(sha256(envelope.payload).subarray(0, 4));
}

export function openBundle(trust: Trust): Outcome<Bundle> {
  const [first] = trust.roots;
  if (first === undefined) return refused("invalid", "roots: there is none");
  const project = projectOf(first);
  if (project === undefined) return refused("invalid", "roots: not a root document");
  const pinned = { authority: authorityOf(first), project };
  const chain = openChain(pinned, trust.roots);
  if (!chain.ok) return chain;
  const newest = chain.value.at(-1)?.root;
  if (newest === undefined) return refused("invalid", "roots: there is none");
  const grants = openGrants(pinned, newest, trust.grants);
  if (!grants.ok) return grants;
  return done({ ...pinned, roots: chain.value, newest, grants: grants.value });
}

export function bundleTrust(bundle: Bundle): Trust {
  return create(TrustSchema, {
    roots: bundle.roots.map(({ envelope }) => envelope),
    grants: bundle.grants.map(({ envelope }) => envelope),
  });
}

/** Signatures that are still to be added before nodes take it, a line each. */
export function missingSignatures(bundle: Bundle): string[] {
  const last = bundle.roots.at(-1);
  const { newest } = bundle;
  const named = (text: string, of: Root, count: number): string[] =>
    count <= 0 ? [] : [`${text}: ${count} more of the keys of root ${of.version}`];
  const roots = rootsThatSign(bundle).flatMap((root) =>
    last === undefined
      ? []
      : named(`root ${newest.version}`, root, root.threshold - signers(last, "root", root).length),
  );
  const grants = bundle.grants.flatMap((one) =>
    named(
      `grant ${grantIdOf(one.envelope)}`,
      newest,
      newest.threshold - signers(one, "grant", newest).length,
    ),
  );
  return [...roots, ...grants];
}

/** Adds what these keys may sign of the newest root and its grants. */
export function signBundle(bundle: Bundle, keys: readonly SigningKey[]): Outcome<Bundle> {
  const signing = rootsThatSign(bundle);
  for (const { publicKey } of keys) {
    if (signing.some((root) => root.keys.some((key) => bytesEqual(key, publicKey)))) continue;
    const versions = signing.map(({ version }) => version).join(" or ");
    return refused("forbidden", `root key ${keyIdOf(publicKey)}: it is no key of root ${versions}`);
  }
  const roots = bundle.roots.map((one, at) =>
    at === bundle.roots.length - 1
      ? { ...one, envelope: signed(one.envelope, "root", keys, signing) }
      : one,
  );
  const grants = bundle.grants.map((one) => ({
    ...one,
    envelope: signed(one.envelope, "grant", keys, [bundle.newest]),
  }));
  return done({ ...bundle, roots, grants });
}

/**
 * The next root, which has to be signed by the one before and by itself, with the grants that are
 * to go on: all in force but those named by `without`, and `more`.
 */
export function rotateBundle(of: {
  bundle: Bundle;
  /** Public keys; those of the present root where there are none. */
  keys: readonly Uint8Array[];
  threshold: number | undefined;
  /** Ids of grants. */
  without: readonly string[];
  more: readonly Power[];
  wallMs: number;
}): Outcome<Bundle> {
  const { bundle, without, wallMs } = of;
  const unfinished = missingSignatures(bundle);
  if (unfinished.length > 0)
    return refused(
      "conflict",
      `bundle: it is not signed by all who have to: ${unfinished.join("; ")}`,
      "Finish it with `headwater keys sign` first.",
    );
  const unknown = without.find((id) =>
    bundle.grants.every((one) => grantIdOf(one.envelope) !== id),
  );
  if (unknown !== undefined)
    return refused(
      "unknown",
      `grant ${unknown}: there is none`,
      "`headwater keys show` names them.",
    );
  const root = nextRoot(of);
  if (!root.ok) return root;
  const payload = toBinary(RootSchema, root.value);
  const envelope = seal({ type: payloadType.root, payload, keys: [] });
  const roots = [...bundle.roots, { envelope, root: root.value }];
  const kept = bundle.grants.filter(
    ({ envelope: held, grant }) =>
      !without.includes(grantIdOf(held)) &&
      (grant.expiresMs === 0n || grant.expiresMs > BigInt(Math.floor(wallMs))),
  );
  let next: Bundle = { ...bundle, roots, newest: root.value, grants: [] };
  const wanted = [
    ...kept.map(({ grant: { power, expiresMs } }) => ({ power, expiresMs })),
    ...of.more.map((power) => ({ power, expiresMs: 0n })),
  ];
  for (const one of wanted) {
    const granted = addGrant(next, one);
    if (!granted.ok) return granted;
    next = granted.value;
  }
  return done(next);
}

/** One more grant of the newest root; it is not signed yet. One that is there is not added. */
export function addGrant(
  bundle: Bundle,
  { power, expiresMs }: { power: Power; expiresMs: bigint },
): Outcome<Bundle> {
  const rival = bundle.grants.find(({ grant }) => isRival(grant.power, power));
  if (rival !== undefined)
    return refused(
      "conflict",
      `term: another key has it already, by grant ${grantIdOf(rival.envelope)}; two would void it`,
      "Take the next term, or leave that grant out of a new root: `headwater keys rotate --without`.",
    );
  if (bundle.grants.length >= grantsCountMax)
    return refused("limit", `grants: more than ${grantsCountMax}`);
  const rootVersion = bundle.newest.version;
  const { authority } = bundle;
  const grant = create(GrantSchema, { authority, rootVersion, power, expiresMs });
  const envelope = seal({
    type: payloadType.grant,
    payload: toBinary(GrantSchema, grant),
    keys: [],
  });
  const id = grantIdOf(envelope);
  if (bundle.grants.some((one) => grantIdOf(one.envelope) === id)) return done(bundle);
  return done({ ...bundle, grants: [...bundle.grants, { envelope, grant }] });
}

function isRival(one: Power, other: Power): boolean {
  if (one.case !== "ledgerKey" || other.case !== "ledgerKey") return false;
  return one.value.term === other.value.term && !bytesEqual(one.value.key, other.value.key);
}

function nextRoot(of: {
  bundle: Bundle;
  keys: readonly Uint8Array[];
  threshold: number | undefined;
}): Outcome<Root> {
  const { newest, roots, project } = of.bundle;
  if (roots.length >= rootsCountMax) return refused("limit", `roots: more than ${rootsCountMax}`);
  const keys = of.keys.length === 0 ? newest.keys : [...of.keys];
  if (keys.length > rootKeysCountMax)
    return refused(
      "limit",
      `new-key: ${keys.length} of them, a root has at most ${rootKeysCountMax}`,
    );
  if (new Set(keys.map(toHex)).size < keys.length)
    return refused("invalid", "new-key: one of them is named twice");
  const threshold = of.threshold ?? Math.min(newest.threshold, keys.length);
  if (threshold > keys.length)
    return refused("invalid", `threshold: ${threshold} of ${keys.length} keys can never sign`);
  return done(create(RootSchema, { project, version: newest.version + 1, threshold, keys }));
}

/** The roots whose keys sign the newest: itself, and the one before. */
function rootsThatSign({ roots }: Bundle): Root[] {
  return roots.slice(-2).map(({ root }) => root);
}

function signers(
  { envelope }: { readonly envelope: Envelope },
  type: "root" | "grant",
  root: Root,
): Uint8Array[] {
  return root.keys.filter((key) => hasSigned(envelope, payloadType[type], key));
}

function hasSigned(envelope: Envelope, type: PayloadType, key: Uint8Array): boolean {
  return isSealedBy({ envelope, type, keys: [key], threshold: 1 });
}

function signed(
  envelope: Envelope,
  type: "root" | "grant",
  keys: readonly SigningKey[],
  roots: readonly Root[],
): Envelope {
  const fresh = keys.filter(
    ({ publicKey }) =>
      roots.some((root) => root.keys.some((key) => bytesEqual(key, publicKey))) &&
      !hasSigned(envelope, payloadType[type], publicKey),
  );
  const { payload, signatures } = envelope;
  const added = seal({ type: payloadType[type], payload, keys: fresh });
  return { ...added, signatures: [...signatures, ...added.signatures] };
}

function projectOf(envelope: Envelope): string | undefined {
  try {
    return fromBinary(RootSchema, envelope.payload).project;
  } catch {
    return undefined;
  }
}

/** Only the newest root may still lack signatures. */
function openChain(pinned: Pinned, envelopes: readonly Envelope[]): Outcome<SignedRoot[]> {
  const checked = (roots: readonly Envelope[]): Outcome<unknown> =>
    extendTrust(pinned, undefined, create(TrustSchema, { roots: [...roots] }));
  const whole = checked(envelopes);
  if (!whole.ok) {
    if (envelopes.length < 2) return whole;
    const before = checked(envelopes.slice(0, -1));
    if (!before.ok) return before;
  }
  const roots: SignedRoot[] = [];
  for (const envelope of envelopes) {
    const root = parseRoot(envelope, pinned.project);
    if (!root.ok) return root;
    if (root.value.version !== roots.length + 1)
      return refused("invalid", `roots: version ${root.value.version} follows ${roots.length}`);
    roots.push({ envelope, root: root.value });
  }
  return done(roots);
}

function openGrants(
  pinned: Pinned,
  newest: Root,
  envelopes: readonly Envelope[],
): Outcome<GrantedPower[]> {
  const grants: GrantedPower[] = [];
  for (const envelope of envelopes) {
    const grant = parseGrant(envelope, pinned);
    if (!grant.ok) return grant;
    if (grant.value.rootVersion > newest.version)
      return refused(
        "invalid",
        `grants: one of root ${grant.value.rootVersion}, which is not here`,
      );
    if (grant.value.rootVersion === newest.version) grants.push({ envelope, grant: grant.value });
  }
  return done(grants);
}
