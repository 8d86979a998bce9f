import { create } from "@bufbuild/protobuf";
import { type ChildRecord, ChildRecordSchema } from "../../gen/headwater/v1/store_pb.ts";
import type { Peer } from "../event.ts";
import { isName } from "../flag/name.ts";
import { tokensCountMax } from "../limits.ts";
import { done, type Outcome, refused } from "../refusal.ts";
import { openCredential } from "./join-token.ts";
import { toHex } from "./key.ts";

/** The join tokens that this site has given out, and what became of them. */
export class Children {
  readonly #siteKey: Uint8Array;
  readonly #records = new Map<string, ChildRecord>();

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
    if (!isName(of.name))
      return refused("invalid", `name: ${JSON.stringify(of.name)} is not a name`);
    if (this.#records.size >= tokensCountMax)
      return refused("limit", `name: ${tokensCountMax} tokens were given out`, "Revoke some.");
    const addedMs = BigInt(Math.floor(of.addedMs));
    const expiresMs = BigInt(Math.floor(of.expiresMs));
    return done(create(ChildRecordSchema, { name: of.name, id: of.id, addedMs, expiresMs }));
  }

  accept(record: ChildRecord): void {
    this.#records.set(toHex(record.id), record);
  }

  /** The records of a child as they are once it is revoked. */
  revoked(name: string): Outcome<ChildRecord[]> {
    const named = this.records.filter((record) => record.name === name && !record.revoked);
    if (named.length === 0)
      return refused("unknown", `name: no child ${JSON.stringify(name)}`, "headwater child list");
    return done(named.map((record) => create(ChildRecordSchema, { ...record, revoked: true })));
  }

  /** The name of the site at the other end. */
  authenticate(peer: Peer, wallMs: number): Outcome<string> {
    if (peer.by === "certificate") {
      if (isName(peer.name)) return done(peer.name);
      return refused("forbidden", `certificate: its name ${JSON.stringify(peer.name)} is no site`);
    }
    const credential = openCredential(peer.credential, this.#siteKey, wallMs);
    if (!credential.ok) return credential;
    const record = this.#records.get(toHex(credential.value.id));
    if (record?.revoked === true)
      return refused(
        "forbidden",
        "credential: revoked",
        "Ask the parent's operator for a new token.",
      );
    return done(credential.value.child);
  }
}
