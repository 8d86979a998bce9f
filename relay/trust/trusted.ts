import { create, fromBinary } from "@bufbuild/protobuf";
import {
  type Envelope,
  type Grant,
  GrantSchema,
  type LedgerKey,
  type OverlayAuthority,
  type Root,
  RootSchema,
  type Trust,
  TrustSchema,
} from "../../gen/headwater/v1/ledger_pb.ts";
import {
  endedGrantsCountMax,
  grantsCountMax,
  rootKeysCountMax,
  rootsCountMax,
  trustBytesMax,
} from "../limits.ts";
import { quoted } from "../quoted.ts";
import { done, type Outcome, refused } from "../refusal.ts";
import { isSealedBy, payloadType } from "./envelope.ts";
import { bytesEqual, keyBytes, sha256, toHex } from "./key.ts";

/**
 * What an authority's own signed documents say: its chain of roots from the pinned first one, and
 * the grants that its newest root has signed. A value; `extendTrust` makes a newer one.
 */
export interface Trusted {
  readonly authority: Uint8Array;
  readonly project: string;
  readonly root: Root;
  /** Envelopes as received, first root first. */
  readonly roots: readonly Envelope[];
  readonly grants: readonly GrantedPower[];
  /**
   * Grants of ledger keys that ended with their root, the newest last: a head that was signed under
   * one is held until something newer comes, and is checked again when the node starts.
   */
  readonly ended: readonly GrantedPower[];
}

export interface GrantedPower {
  readonly envelope: Envelope;
  readonly grant: Grant;
}

/** Whose documents these have to be. */
export interface Pinned {
  readonly authority: Uint8Array;
  readonly project: string;
}

/** The name of an authority: SHA-256 of the payload of its first root. */
export function authorityOf(firstRoot: Envelope): Uint8Array {
  return sha256(firstRoot.payload);
}

/**
 * What is known of an authority after hearing `heard`. A chain only grows; grants of the newest
 * root are joined, those of an older one end. Nothing changes unless every new document checks.
 */
export function extendTrust(
  pinned: Pinned,
  known: Trusted | undefined,
  heard: Trust,
): Outcome<Trusted> {
  const chain = extendChain(pinned, known, heard.roots);
  if (!chain.ok) return chain;
  const { roots, root } = chain.value;
  const isSameRoot = known !== undefined && known.root.version === root.version;
  const kept = isSameRoot ? known.grants : [];
  const grants = joinGrants({ pinned, root, kept, heard: heard.grants });
  if (!grants.ok) return grants;
  const bytes = payloadBytes([...roots, ...grants.value.map(({ envelope }) => envelope)]);
  if (bytes > trustBytesMax)
    return refused("limit", `roots, grants: ${bytes} bytes, ${trustBytesMax} are allowed`);
  const ended = isSameRoot ? known.ended : endedWith(known);
  return done({ ...pinned, root, roots, grants: grants.value, ended });
}

function payloadBytes(envelopes: readonly Envelope[]): number {
  return envelopes.reduce((sum, { payload }) => sum + payload.length, 0);
}

function endedWith(known: Trusted | undefined): readonly GrantedPower[] {
  if (known === undefined) return [];
  const ledgerKeys = known.grants.filter(({ grant }) => grant.power.case === "ledgerKey");
  return newest([...known.ended, ...ledgerKeys]);
}

/** Not more than are kept. */
export function newest(ended: readonly GrantedPower[]): readonly GrantedPower[] {
  return ended.slice(-endedGrantsCountMax);
}

export function trustMessage(trusted: Trusted): Trust {
  return create(TrustSchema, {
    roots: [...trusted.roots],
    grants: trusted.grants.map(({ envelope }) => envelope),
  });
}

/** The key that may sign heads of a term. One term has one key: two grants for it void it. */
export function ledgerKeyOf(
  trusted: Trusted,
  at: { term: number; wallMs: number },
): Uint8Array | undefined {
  return ledgerGrantOf(trusted, at)?.key;
}

/**
 * All that were ever granted for a term, as far as is known: of what has been believed before, when
 * the root was another and no second grant had voided the term.
 */
export function formerLedgerKeysOf(trusted: Trusted, term: number): Uint8Array[] {
  return [...trusted.grants, ...trusted.ended].flatMap(({ grant: { power } }) =>
    power.case === "ledgerKey" && power.value.term === term ? [power.value.key] : [],
  );
}

export function ledgerGrantOf(
  trusted: Trusted,
  at: { term: number; wallMs: number },
): LedgerKey | undefined {
  const keys = ledgerKeysOf(trusted, at.wallMs).filter(({ term }) => term === at.term);
  return new Set(keys.map(({ key }) => toHex(key))).size === 1 ? keys[0] : undefined;
}

/** The terms that somebody may write in, lowest first. */
export function ledgerTermsOf(trusted: Trusted, wallMs: number): number[] {
  const terms = new Set(ledgerKeysOf(trusted, wallMs).map(({ term }) => term));
  return [...terms]
    .filter((term) => ledgerGrantOf(trusted, { term, wallMs }) !== undefined)
    .sort((one, other) => one - other);
}

function ledgerKeysOf(trusted: Trusted, wallMs: number): LedgerKey[] {
  return inForce(trusted, wallMs).flatMap(({ grant }) =>
    grant.power.case === "ledgerKey" ? [grant.power.value] : [],
  );
}

export function beatKeysOf(trusted: Trusted, wallMs: number): Uint8Array[] {
  return inForce(trusted, wallMs).flatMap(({ grant }) =>
    grant.power.case === "beatKey" ? [grant.power.value.key] : [],
  );
}

export function overlayGrantsOf(trusted: Trusted, wallMs: number): OverlayAuthority[] {
  return inForce(trusted, wallMs).flatMap(({ grant }) =>
    grant.power.case === "overlay" ? [grant.power.value] : [],
  );
}

function inForce(trusted: Trusted, wallMs: number): readonly GrantedPower[] {
  return trusted.grants.filter(
    ({ grant }) => grant.expiresMs === 0n || grant.expiresMs > BigInt(Math.floor(wallMs)),
  );
}

interface Chain {
  readonly roots: readonly Envelope[];
  readonly root: Root;
}

function extendChain(
  pinned: Pinned,
  known: Trusted | undefined,
  heard: readonly Envelope[],
): Outcome<Chain> {
  if (heard.length > rootsCountMax) return refused("limit", `roots: more than ${rootsCountMax}`);
  let chain: Chain | undefined =
    known === undefined ? undefined : { roots: known.roots, root: known.root };
  for (const envelope of heard) {
    const next = extendByOne(pinned, chain, envelope);
    if (!next.ok) return next;
    chain = next.value;
  }
  if (chain === undefined) return refused("invalid", "roots: there is none");
  if (chain.roots.length > rootsCountMax)
    return refused("limit", `roots: more than ${rootsCountMax}`);
  return done(chain);
}

function extendByOne(pinned: Pinned, chain: Chain | undefined, envelope: Envelope): Outcome<Chain> {
  const root = parseRoot(envelope, pinned.project);
  if (!root.ok) return root;
  const version = root.value.version;
  if (chain !== undefined && version <= chain.root.version)
    return alreadyHeld(chain, envelope, version);
  if (version !== (chain?.root.version ?? 0) + 1)
    return refused("invalid", `roots: version ${version} follows ${chain?.root.version ?? 0}`);
  if (chain === undefined && !bytesEqual(authorityOf(envelope), pinned.authority))
    return refused(
      "forbidden",
      `roots: the first is of authority ${toHex(authorityOf(envelope))}, pinned is ${toHex(pinned.authority)}`,
      "If the project's authority really changed, pin the new one with a trust file or a new token.",
    );
  const signers = chain === undefined ? [root.value] : [chain.root, root.value];
  for (const { keys, threshold, version: of } of signers) {
    if (!isSealedBy({ envelope, type: payloadType.root, keys, threshold }))
      return refused(
        "forbidden",
        `roots: version ${version} is not signed by ${threshold} keys of version ${of}`,
      );
  }
  return done({ roots: [...(chain?.roots ?? []), envelope], root: root.value });
}

/** A root that is held already must be the same, else there are two histories. */
function alreadyHeld(chain: Chain, envelope: Envelope, version: number): Outcome<Chain> {
  const held = chain.roots[version - 1];
  if (held !== undefined && bytesEqual(held.payload, envelope.payload)) return done(chain);
  return refused("forbidden", `roots: version ${version} differs from the one held`);
}

export function parseRoot(envelope: Envelope, project: string): Outcome<Root> {
  let root: Root;
  try {
    root = fromBinary(RootSchema, envelope.payload);
  } catch {
    return refused("invalid", "roots: not a root document");
  }
  if (root.project !== project)
    return refused("invalid", `roots: of project ${quoted(root.project)}, not ${project}`);
  if (root.keys.length === 0 || root.keys.length > rootKeysCountMax)
    return refused(
      "invalid",
      `roots: ${root.keys.length} keys, 1 to ${rootKeysCountMax} are allowed`,
    );
  if (root.keys.some((key) => key.length !== keyBytes))
    return refused("invalid", "roots: a key that is not 32 bytes");
  if (root.threshold < 1 || root.threshold > root.keys.length)
    return refused(
      "invalid",
      `roots: a threshold of ${root.threshold} for ${root.keys.length} keys`,
    );
  return done(root);
}

function joinGrants(of: {
  pinned: Pinned;
  root: Root;
  kept: readonly GrantedPower[];
  heard: readonly Envelope[];
}): Outcome<readonly GrantedPower[]> {
  const grants = new Map(of.kept.map((power) => [toHex(sha256(power.envelope.payload)), power]));
  for (const envelope of of.heard) {
    const id = toHex(sha256(envelope.payload));
    if (grants.has(id)) continue;
    const grant = parseGrant(envelope, of.pinned);
    if (!grant.ok) return grant;
    const { rootVersion } = grant.value;
    const { keys, threshold, version } = of.root;
    if (rootVersion < version) continue;
    if (rootVersion > version)
      return refused(
        "forbidden",
        `grants: one is of root version ${rootVersion}, and the newest here is ${version}`,
        "Bring the newer roots first: `headwater keys import`.",
      );
    if (!isSealedBy({ envelope, type: payloadType.grant, keys, threshold }))
      return refused("forbidden", `grants: one is not signed by root version ${version}`);
    if (grants.size >= grantsCountMax)
      return refused("limit", `grants: more than ${grantsCountMax}`);
    grants.set(id, { envelope, grant: grant.value });
  }
  return done([...grants.values()]);
}

export function parseGrant(envelope: Envelope, pinned: Pinned): Outcome<Grant> {
  let grant: Grant;
  try {
    grant = fromBinary(GrantSchema, envelope.payload);
  } catch {
    return refused("invalid", "grants: not a grant");
  }
  if (!bytesEqual(grant.authority, pinned.authority))
    return refused("invalid", "grants: one of another authority");
  return done(grant);
}

/** Asked for at every frame of every link, and always the same. */
const digests = new WeakMap<Trusted, Uint8Array>();

/** Equal for all who know the same roots and grants, in whatever order they heard of them. */
export function trustDigest(trusted: Trusted | undefined): Uint8Array {
  if (trusted === undefined) return new Uint8Array(0);
  const known = digests.get(trusted);
  if (known !== undefined) return known;
  const envelopes = [...trusted.roots, ...trusted.grants.map(({ envelope }) => envelope)];
  const hashes = envelopes.map(({ payload }) => sha256(payload));
  const digest = sha256(...hashes.sort((a, b) => Buffer.compare(a, b)));
  digests.set(trusted, digest);
  return digest;
}
