import { createHash, timingSafeEqual } from "node:crypto";
import { wrongTokensBurstMax, wrongTokensPerSecondMax } from "../../relay/limits.ts";
import { HeadwaterError } from "../error.ts";
import { RateLimit } from "../http/rate-limit.ts";

const hint =
  "put the node's token into HEADWATER_ADMIN_TOKEN; it is in the file admin.token of the node's HEADWATER_DATA_DIR";

/** Who is asking, and what they show. */
export interface Caller {
  /** The header `authorization`. */
  readonly header: string | null | undefined;
  readonly address: string;
  readonly monoMs: number;
}

/** Lets in who shows the node's bearer token. */
export class Authorization {
  readonly #digest: Buffer;
  readonly #failures = new RateLimit({
    burst: wrongTokensBurstMax,
    perSecond: wrongTokensPerSecondMax,
  });
  #refusedCount = 0;

  constructor(token: string) {
    this.#digest = digestOf(token);
  }

  /** Calls refused since the start. */
  get refusedCount(): number {
    return this.#refusedCount;
  }

  /**
   * An address that has failed too often waits whatever it shows, or guessing would cost nothing.
   * @throws HeadwaterError `unauthenticated`, or `limit` after too many failures
   */
  check({ header, address, monoMs }: Caller): void {
    if (!this.#failures.allows(address, monoMs)) {
      this.#refusedCount++;
      throw new HeadwaterError({
        kind: "limit",
        message: `${address} has shown too many wrong tokens`,
        hint: `wait a few seconds, then ${hint}`,
      });
    }
    const token = /^bearer +(\S+) *$/i.exec(header ?? "")?.[1];
    // Digests have one length whatever was given, so that comparing takes one time.
    if (token !== undefined && timingSafeEqual(digestOf(token), this.#digest)) return;
    this.#refusedCount++;
    this.#failures.take(address, monoMs);
    const message = token === undefined ? "no bearer token" : "the bearer token is not this node's";
    throw new HeadwaterError({ kind: "unauthenticated", message, hint });
  }
}

function digestOf(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}
