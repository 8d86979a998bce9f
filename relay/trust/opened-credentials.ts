import { toBinary } from "@bufbuild/protobuf";
import { type Envelope, EnvelopeSchema } from "../../gen/headwater/v1/ledger_pb.ts";
import type { Credential } from "../../gen/headwater/v1/mesh_pb.ts";
import { openedCredentialsMax } from "../limits.ts";
import { done, type Outcome } from "../refusal.ts";
import { credentialEnd, openCredential } from "./join-token.ts";
import { sha256, toHex } from "./key.ts";

/**
 * Credentials whose signature was checked. A child shows its own with each call, and with hundreds
 * of children that confirm each change the check was a quarter of all that their parent does.
 * Only signatures are remembered: whether one has ended is looked at each time.
 */
export class OpenedCredentials {
  /** By the SHA-256 of all bytes of the envelope, hex. */
  readonly #known = new Map<string, Credential>();
  /** The same envelopes, which come as the same objects as a rule: these need no hash. */
  readonly #seen = new WeakMap<Envelope, Credential>();

  open(envelope: Envelope | undefined, siteKey: Uint8Array, wallMs: number): Outcome<Credential> {
    if (envelope === undefined) return openCredential(envelope, siteKey, wallMs);
    const seen = this.#seen.get(envelope);
    if (seen !== undefined) return credentialEnd(seen, wallMs) ?? done(seen);
    const opened = this.#check(envelope, siteKey, wallMs);
    if (opened.ok) this.#seen.set(envelope, opened.value);
    return opened;
  }

  #check(envelope: Envelope, siteKey: Uint8Array, wallMs: number): Outcome<Credential> {
    const key = toHex(sha256(toBinary(EnvelopeSchema, envelope)));
    const known = this.#known.get(key);
    if (known !== undefined) return credentialEnd(known, wallMs) ?? done(known);
    const opened = openCredential(envelope, siteKey, wallMs);
    if (!opened.ok) return opened;
    if (this.#known.size >= openedCredentialsMax) this.#known.clear();
    this.#known.set(key, opened.value);
    return opened;
  }
}
