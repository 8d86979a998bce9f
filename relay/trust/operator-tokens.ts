import { create } from "@bufbuild/protobuf";
import { type TokenRecord, TokenRecordSchema } from "../../gen/headwater/v1/store_pb.ts";
import { isName } from "../flag/name.ts";
import { operatorTokensMax } from "../limits.ts";
import { quoted } from "../quoted.ts";
import { done, type Outcome, refused } from "../refusal.ts";
import { expiryProblem } from "./expiry.ts";
import { keyBytes } from "./key.ts";

/**
 * What a token lets its holder do; each lets read as well, and `admin` everything.
 *
 * - `read`: look at all that is here, what leaves the node included
 * - `flags`: change the project's own ledger, and its rollouts
 * - `overlay`: change this site's overlays
 */
export const operatorScopes = ["read", "flags", "overlay", "admin"] as const;

export type OperatorScope = (typeof operatorScopes)[number];

export function isOperatorScope(text: string): text is OperatorScope {
  return operatorScopes.some((scope) => scope === text);
}

/** The tokens that an operator of this node has given out, beside the one in its data directory. */
export class OperatorTokens {
  readonly #records = new Map<string, TokenRecord>();

  constructor(records: readonly TokenRecord[]) {
    for (const record of records) this.accept(record);
  }

  get records(): readonly TokenRecord[] {
    return [...this.#records.values()];
  }

  has(name: string): boolean {
    return this.#records.has(name);
  }

  /** A record for a new token; nothing is changed before it is accepted. */
  prepare(of: {
    name: string;
    digest: Uint8Array;
    scopes: readonly string[];
    addedMs: number;
    expiresMs: number;
  }): Outcome<TokenRecord> {
    const { name, digest } = of;
    if (!isName(name)) return refused("invalid", `name: ${quoted(name)} is not a name`);
    const expiry = expiryProblem({ expiresMs: of.expiresMs, nowMs: of.addedMs });
    if (expiry !== undefined) return refused("invalid", expiry);
    if (digest.length !== keyBytes) return refused("invalid", `digest: not ${keyBytes} bytes`);
    const scopes = operatorScopes.filter((scope) => of.scopes.includes(scope));
    const strange = of.scopes.find((scope) => !isOperatorScope(scope));
    if (strange !== undefined || scopes.length === 0)
      return refused(
        "invalid",
        `scopes: ${strange === undefined ? "none" : quoted(strange)}`,
        `Name some of ${operatorScopes.join(", ")}.`,
      );
    if (this.#records.has(name))
      return refused("conflict", `name: there is a token ${name} already`, "Revoke it first.");
    if (this.#records.size >= operatorTokensMax)
      return refused("limit", `name: there are ${operatorTokensMax} tokens`, "Revoke some.");
    const addedMs = BigInt(Math.floor(of.addedMs));
    const expiresMs = BigInt(Math.floor(of.expiresMs));
    return done(create(TokenRecordSchema, { name, digest, scopes, addedMs, expiresMs }));
  }

  accept(record: TokenRecord): void {
    this.#records.set(record.name, record);
  }

  remove(name: string): void {
    this.#records.delete(name);
  }
}
