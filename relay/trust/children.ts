import { create, toBinary } from "@bufbuild/protobuf";
import { type SiteChild, SiteChildSchema } from "../../gen/headwater/v1/fanout_pb.ts";
import { type ChildRecord, ChildRecordSchema } from "../../gen/headwater/v1/store_pb.ts";
import type { Peer } from "../event.ts";
import { isName } from "../flag/name.ts";
import { tokensCountMax } from "../limits.ts";
import { quoted } from "../quoted.ts";
import { done, type Outcome, refused } from "../refusal.ts";
import { expiryProblem } from "./expiry.ts";
import { fromHex, sha256, toHex } from "./key.ts";
import { OpenedCredentials } from "./opened-credentials.ts";

/** Who a peer was found to be, for how long, and what it may have. */
export interface Admission {
  readonly site: string;
  /** The id of its credential, hex; undefined for a certificate. */
  readonly credential: string | undefined;
  /** When its certificate was issued; 0 for a credential. */
  readonly issuedMs: number;
  /** When its credential ends; 0 is never. */
  readonly expiresMs: number;
  /** None: all that is served. */
  readonly projects: readonly string[];
}

/** The join tokens that this site has given out, and what became of them. */
export class Children {
  readonly #siteKey: Uint8Array;
  /** By what the store calls them. */
  readonly #records = new Map<string, ChildRecord>();
  #digest: Uint8Array | undefined;
  readonly #opened = new OpenedCredentials();

  constructor(siteKey: Uint8Array, records: readonly ChildRecord[]) {
    this.#siteKey = siteKey;
    for (const record of records) this.accept(record);
  }

  get records(): readonly ChildRecord[] {
    return [...this.#records.values()];
  }

  /** A record for a new child; nothing is changed before it is accepted. */
  prepare(of: {
    name: string;
    id: Uint8Array;
    addedMs: number;
    expiresMs: number;
  }): Outcome<ChildRecord> {
    if (!isName(of.name)) return refused("invalid", `name: ${quoted(of.name)} is not a name`);
    const expiry = expiryProblem({ expiresMs: of.expiresMs, nowMs: of.addedMs });
    if (expiry !== undefined) return refused("invalid", expiry);
    if (this.#records.size >= tokensCountMax)
      return refused(
        "limit",
        `name: ${tokensCountMax} tokens were given out, and revoked ones count too`,
        "Let more children in by certificates, of an authority in HEADWATER_TLS_CA_FILE.",
      );
    const addedMs = this.#after(of.name, BigInt(Math.floor(of.addedMs)));
    const expiresMs = BigInt(Math.floor(of.expiresMs));
    return done(create(ChildRecordSchema, { name: of.name, id: of.id, addedMs, expiresMs }));
  }

  /** Later than all tokens of a child, also where the clock was set back: the newest is kept. */
  #after(child: string, nowMs: bigint): bigint {
    let addedMs = nowMs;
    for (const { name, addedMs: heldMs } of this.#records.values())
      if (name === child && heldMs >= addedMs) addedMs = heldMs + 1n;
    return addedMs;
  }

  accept(record: ChildRecord): void {
    this.#records.set(childKey(record), record);
    this.#digest = undefined;
  }

  /** What all nodes of the site have to know. */
  get shared(): readonly SiteChild[] {
    return this.records.map(({ name, id, addedMs, expiresMs, revoked }) =>
      create(SiteChildSchema, { name, id, addedMs, expiresMs, revoked }),
    );
  }

  /** Equal for all who know the same; empty for nothing. */
  get digest(): Uint8Array {
    this.#digest ??= digestOf(this.shared);
    return this.#digest;
  }

  /** The records that another node's word comes to, as far as they are news. */
  heard(shared: readonly SiteChild[]): ChildRecord[] {
    const records = shared.flatMap(({ name, id, addedMs, expiresMs, revoked }) => {
      const certificate = id.length === 0;
      const of = { name, id, addedMs, expiresMs, certificate, revoked: revoked || certificate };
      const record = create(ChildRecordSchema, of);
      const held = this.#records.get(childKey(record));
      return isName(name) && isNews(record, held) ? record : [];
    });
    // Whom a node does not know it lets in: a revocation needs no room.
    let room = tokensCountMax - this.#records.size;
    return records.filter(({ revoked }) => revoked || room-- > 0);
  }

  /**
   * The records of a child as they are once it is revoked: its tokens, and all certificates of its
   * name that were issued until now; or only the tokens before its newest, when it has a new one.
   */
  revoked(
    name: string,
    of: { older: boolean; connected: readonly Admission[]; wallMs: number },
  ): Outcome<ChildRecord[]> {
    const tokens = this.records
      .filter((record) => record.name === name && !record.revoked)
      .sort((one, other) => Number(one.addedMs - other.addedMs));
    const ended = (of.older ? tokens.slice(0, -1) : tokens).map((record) =>
      create(ChildRecordSchema, { ...record, revoked: true }),
    );
    if (of.older)
      return ended.length > 0
        ? done(ended)
        : refused(
            "unknown",
            `name: ${quoted(name)} has no token before its newest`,
            "`headwater child add` makes a new one; the old one goes on until it is revoked.",
          );
    if (tokens.length === 0 && of.connected.length === 0)
      return refused(
        "unknown",
        `name: no child ${quoted(name)}`,
        "`headwater child list` shows those there are.",
      );
    const addedMs = BigInt(Math.floor(of.wallMs));
    const certificate = { name, addedMs, revoked: true, certificate: true };
    return done([
      ...ended,
      ...this.#strangers(of.connected).map((id) =>
        create(ChildRecordSchema, { name, id, addedMs, revoked: true }),
      ),
      create(ChildRecordSchema, certificate),
    ]);
  }

  /** Tokens that are in use and not known here: they were given out before the data was lost. */
  #strangers(connected: readonly Admission[]): Uint8Array[] {
    const used = new Set(connected.flatMap(({ credential }) => credential ?? []));
    return [...used].filter((id) => !this.#records.has(id)).map(fromHex);
  }

  /** When a site was last revoked as a whole; undefined for one that never was. */
  revokedMs(site: string): number | undefined {
    const until = this.#records.get(certificatesKey(site))?.addedMs;
    return until === undefined ? undefined : Number(until);
  }

  authenticate(peer: Peer, wallMs: number): Outcome<Admission> {
    if (peer.by === "certificate") return this.#certified(peer);
    const credential = this.#opened.open(peer.credential, this.#siteKey, wallMs);
    if (!credential.ok) return credential;
    const { child: site, id, expiresMs, projects } = credential.value;
    return this.#checked({
      site,
      credential: toHex(id),
      issuedMs: 0,
      expiresMs: Number(expiresMs),
      projects,
    });
  }

  /** Whether what let a peer in would not any more. */
  hasEnded(admission: Admission, wallMs: number): boolean {
    const { expiresMs } = admission;
    return (expiresMs !== 0 && expiresMs <= wallMs) || this.#isRevoked(admission);
  }

  #certified({ name, issuedMs = 0 }: Peer & { by: "certificate" }): Outcome<Admission> {
    if (!isName(name))
      return refused("forbidden", `certificate: its name ${quoted(name)} is no site`);
    const admission = { site: name, credential: undefined, issuedMs, expiresMs: 0, projects: [] };
    return this.#checked(admission);
  }

  #checked(admission: Admission): Outcome<Admission> {
    if (!this.#isRevoked(admission)) return done(admission);
    return admission.credential === undefined
      ? refused(
          "forbidden",
          "certificate: revoked",
          "A certificate that is issued from now on is taken again.",
        )
      : refused("forbidden", "credential: revoked", "Ask the parent's operator for a new token.");
  }

  #isRevoked({ site, credential, issuedMs }: Admission): boolean {
    if (credential !== undefined) return this.#records.get(credential)?.revoked === true;
    const until = this.revokedMs(site);
    return until !== undefined && issuedMs <= until;
  }
}

/** What the store calls a record. */
export function childKey({ name, id, certificate }: ChildRecord): string {
  return certificate ? certificatesKey(name) : toHex(id);
}

/** No id in hex has a space. */
const certificatesKey = (name: string): string => `certificates ${name}`;

/** A revocation is for good; of those of certificates the latest counts. */
function isNews(record: ChildRecord, held: ChildRecord | undefined): boolean {
  if (held === undefined) return true;
  return record.certificate
    ? record.addedMs > held.addedMs
    : record.revoked && !held.revoked && record.name === held.name;
}

function digestOf(shared: readonly SiteChild[]): Uint8Array {
  if (shared.length === 0) return new Uint8Array(0);
  const hashes = shared.map((one) => sha256(toBinary(SiteChildSchema, one)));
  return sha256(...hashes.sort((a, b) => Buffer.compare(a, b)));
}
