import { createHash, timingSafeEqual } from "node:crypto";
import type { TokenRecord } from "../../gen/headwater/v1/store_pb.ts";
import { wrongTokensBurstMax, wrongTokensPerSecondMax } from "../../relay/limits.ts";
import { RateLimit } from "../../relay/rate-limit.ts";
import { isOperatorScope, type OperatorScope } from "../../relay/trust/operator-tokens.ts";
import { HeadwaterError } from "../error.ts";

const hint =
  "Put the node's token into HEADWATER_ADMIN_TOKEN; it is in the file admin.token of the node's HEADWATER_DATA_DIR.";

const newHint =
  "Ask for a new one: whoever may do everything here makes it with `headwater token add`.";

/** Who is asking, and what they show. */
export interface Caller {
  /** The header `authorization`. */
  readonly header: string | null | undefined;
  readonly address: string;
  readonly wallMs: number;
  readonly monoMs: number;
}

/** Who was let in: by which token, and what it is for. */
export interface Admitted {
  /** The token's name. */
  readonly token: string;
  readonly scopes: ReadonlySet<OperatorScope>;
  /** Undefined for the token in the data directory, which is good for as long as the node runs. */
  readonly record?: TokenRecord | undefined;
}

/** What the token in the data directory is called; it may do everything. */
const ownToken: Admitted = { token: "admin.token", scopes: new Set(["admin"]) };

/** Lets in who shows a bearer token of the node: its own, or one that was added. */
export class Authorization {
  readonly #digest: Buffer;
  readonly #added: () => readonly TokenRecord[];
  readonly #failures = new RateLimit({
    burst: wrongTokensBurstMax,
    perSecond: wrongTokensPerSecondMax,
  });
  #refusedCount = 0;

  constructor(token: string, added: () => readonly TokenRecord[] = () => []) {
    this.#digest = digestOf(token);
    this.#added = added;
  }

  /** Calls refused since the start. */
  get refusedCount(): number {
    return this.#refusedCount;
  }

  /**
   * An address that has failed too often waits whatever it shows, or guessing would cost nothing.
   * @throws HeadwaterError `unauthenticated`, or `limit` after too many failures
   */
  check({ header, address, wallMs, monoMs }: Caller): Admitted {
    if (!this.#failures.allows(address, monoMs)) {
      this.#refusedCount++;
      throw new HeadwaterError({
        kind: "limit",
        message: `${address} has shown too many wrong tokens`,
        hint: "Wait a few seconds, then show the one in the file admin.token of the node's HEADWATER_DATA_DIR.",
      });
    }
    const token = /^bearer +(\S+) *$/i.exec(header ?? "")?.[1];
    const admitted = token === undefined ? undefined : this.#admitted(digestOf(token), wallMs);
    if (typeof admitted === "object") return admitted;
    this.#refusedCount++;
    this.#failures.take(address, monoMs);
    throw refusal(token, admitted);
  }

  /** Whether whoever was let in would be now. */
  holds({ record }: Admitted, wallMs: number): boolean {
    if (record === undefined) return true;
    return this.#added().includes(record) && !hasEnded(record, wallMs);
  }

  /**
   * Digests have one length whatever was given, and all are compared, so that it takes one time.
   * A text says why one that is known does not do.
   */
  #admitted(digest: Buffer, wallMs: number): Admitted | string | undefined {
    let found: TokenRecord | undefined;
    for (const record of this.#added()) if (timingSafeEqual(digest, record.digest)) found = record;
    if (timingSafeEqual(digest, this.#digest)) return ownToken;
    if (found === undefined) return undefined;
    const { name, scopes } = found;
    if (hasEnded(found, wallMs)) return `the token ${name} has expired`;
    return { token: name, scopes: new Set(scopes.filter(isOperatorScope)), record: found };
  }
}

/** A text says why a token that is known does not do. */
function refusal(token: string | undefined, problem: string | undefined): HeadwaterError {
  const kind = "unauthenticated";
  if (problem !== undefined) return new HeadwaterError({ kind, message: problem, hint: newHint });
  const message = token === undefined ? "no bearer token" : "the bearer token is not this node's";
  return new HeadwaterError({ kind, message, hint });
}

function hasEnded({ expiresMs }: TokenRecord, wallMs: number): boolean {
  return expiresMs !== 0n && Number(expiresMs) <= wallMs;
}

/** What is kept of a token. */
export function digestOf(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}
