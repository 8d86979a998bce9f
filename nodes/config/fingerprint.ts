import { quoted } from "../../relay/quoted.ts";

/** Why a text is no fingerprint, as a sentence that says what to write instead. */
export interface FingerprintProblem {
  readonly problem: string;
}

/** A SHA-256 as people compare it: `sha256:` and 64 hexadecimal digits. */
export function formatFingerprint(hash: Uint8Array): string {
  return `sha256:${Buffer.from(hash).toString("hex")}`;
}

/** Reads what `formatFingerprint` writes into its 32 bytes. */
export function parseFingerprint(text: string): Uint8Array | FingerprintProblem {
  const hex = /^sha256:([0-9a-fA-F]{64})$/.exec(text)?.[1];
  if (hex !== undefined) return new Uint8Array(Buffer.from(hex, "hex"));
  const mend = /^[0-9a-fA-F]{64}$/.test(text)
    ? `write "sha256:${text}"`
    : "write sha256: and 64 hexadecimal digits, as `headwater status` shows them";
  // What is much longer than a fingerprint says no more than its beginning.
  return { problem: `${quoted(text)} is no fingerprint: ${mend}` };
}
