import { crashLengthMax } from "../limits.ts";

const pattern = new RegExp(`^[0-9a-f]{8,${crashLengthMax}}$`);

export const crashSignatureMend = `a crash signature is a hash, 8 to ${crashLengthMax} digits of hex`;

/** Whether a text is a signature of a crash: hex of some length, so that no text can pass for one. */
export function isCrashSignature(text: string): boolean {
  return pattern.test(text);
}
