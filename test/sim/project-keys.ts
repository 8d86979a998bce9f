import { create, toBinary } from "@bufbuild/protobuf";
import {
  type Envelope,
  GrantSchema,
  RootSchema,
  type Trust,
  TrustSchema,
} from "../../gen/headwater/v1/ledger_pb.ts";
import { payloadType, seal } from "../../relay/trust/envelope.ts";
import { SigningKey, toHex } from "../../relay/trust/key.ts";
import { grantGraceMs, type PinGrant } from "./ledger-checks.ts";
import { type Power, rootOf, seedOf } from "./mesh.ts";

interface GrantOf {
  readonly power: Power;
  /** 0 is never. */
  readonly expiresMs: number;
}

/** What whoever holds a project's root key has in the drawer. */
export class ProjectKeys {
  readonly project: string;
  readonly authority: Uint8Array;
  #version = 1;
  #key: SigningKey;
  readonly #roots: Envelope[];
  #grants: readonly GrantOf[];

  constructor(project: string, grants: readonly GrantOf[]) {
    const { key, envelope, authority } = rootOf(project, project);
    this.project = project;
    this.authority = authority;
    this.#key = key;
    this.#roots = [envelope];
    this.#grants = grants;
  }

  /** The keys that go on in a term after the first. */
  keysOf(term: number): { readonly ledgerKey: SigningKey; readonly beatKey: SigningKey } {
    const key = (of: string): SigningKey =>
      new SigningKey(seedOf(`${this.project} recovery ${of} ${term}`));
    return { ledgerKey: key("ledger"), beatKey: key("beat") };
  }

  /** The keys that the first writer has made for itself. */
  adopt(of: { ledgerKey: Uint8Array; beatKey: Uint8Array }): void {
    const own: GrantOf[] = [
      { power: { case: "ledgerKey", value: { term: 1, key: of.ledgerKey } }, expiresMs: 0 },
      { power: { case: "beatKey", value: { key: of.beatKey } }, expiresMs: 0 },
    ];
    this.#grants = [...own, ...this.#grants];
  }

  /** Grants of a term, signed by the newest root: once, however often it is tried to go on with them. */
  grantsFor(term: number): Envelope[] {
    const powers = this.#powersOf(term);
    const keys = new Set(powers.map(keyOf));
    this.#grants = [...this.#grants.filter((grant) => !keys.has(keyOf(grant))), ...powers];
    return powers.map((grant) => this.#sealed(grant));
  }

  /** The next root, with the grants that are in force but those left out. */
  rotate(isKept: (grant: GrantOf) => boolean): void {
    const former = this.#key;
    this.#version++;
    this.#key = new SigningKey(seedOf(`${this.project} root ${this.#version}`));
    this.#grants = this.#grants.filter(isKept);
    const root = create(RootSchema, {
      project: this.project,
      version: this.#version,
      threshold: 1,
      keys: [this.#key.publicKey],
    });
    const payload = toBinary(RootSchema, root);
    this.#roots.push(seal({ type: payloadType.root, payload, keys: [former, this.#key] }));
  }

  /** All that is signed so far. */
  get trust(): Trust {
    return create(TrustSchema, {
      roots: [...this.#roots],
      grants: this.#grants.map((grant) => this.#sealed(grant)),
    });
  }

  /** Whether an overlay may pin now; just before and after a grant ends it may, or not. */
  pinGrant(wallMs: number): PinGrant {
    const ends = this.#grants.flatMap(({ power, expiresMs }) =>
      power.case === "overlay" ? [expiresMs || Number.POSITIVE_INFINITY] : [],
    );
    if (ends.some((end) => Math.abs(end - wallMs) < grantGraceMs)) return "ending";
    return ends.some((end) => end > wallMs) ? "granted" : "none";
  }

  #powersOf(term: number): GrantOf[] {
    const { ledgerKey, beatKey } = this.keysOf(term);
    return [
      { power: { case: "ledgerKey", value: { term, key: ledgerKey.publicKey } }, expiresMs: 0 },
      { power: { case: "beatKey", value: { key: beatKey.publicKey } }, expiresMs: 0 },
    ];
  }

  #sealed({ power, expiresMs }: GrantOf): Envelope {
    const grant = create(GrantSchema, {
      authority: this.authority,
      rootVersion: this.#version,
      power,
      expiresMs: BigInt(expiresMs),
    });
    const payload = toBinary(GrantSchema, grant);
    return seal({ type: payloadType.grant, payload, keys: [this.#key] });
  }
}

/** What a grant is for, as text; empty for those of overlays, which have no key of their own. */
function keyOf({ power }: GrantOf): string {
  const { value } = power;
  return value !== undefined && "key" in value ? `${power.case} ${toHex(value.key)}` : "";
}
