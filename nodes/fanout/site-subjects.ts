import { createInbox } from "nats";
import { sha256, toHex } from "../../relay/trust/key.ts";

/** The subjects of one site. All begin with `headwater.`, so that one permission covers them. */
export interface SiteSubjects {
  /** What nodes publish to all others. */
  readonly frames: string;
  /** What nodes ask any one other. */
  readonly ask: string;
  /** Where one connection gets its answers: nobody else's. */
  answers(): string;
}

/** Sites that share a NATS do not hear each other: a site's name there comes from its public key. */
export function siteSubjects(siteKey: Uint8Array): SiteSubjects {
  const prefix = `headwater.${toHex(sha256(siteKey)).slice(0, 16)}`;
  return {
    frames: `${prefix}.frames`,
    ask: `${prefix}.ask`,
    answers: () => createInbox(`${prefix}.answers`),
  };
}
