/** What became of an input: it was taken, or refused with a reason. */
export type Verdict = "accepted" | "refused";

/** Tries one input. What is thrown is a finding. */
export type Attempt = (input: Uint8Array) => Verdict | Promise<Verdict>;

/** One door that inputs come through. */
export interface Target {
  readonly name: string;
  /** What inputs are written in, and so how they are altered. */
  readonly form: "wire" | "text" | "bytes";
  /** Its part of all inputs, in relation to the others'. */
  readonly share: number;
  /** Valid inputs, made by what makes them in life. */
  seeds(): readonly Uint8Array[];
  open(): Attempt;
}

/** A promise that an input has broken. */
export class Broken extends Error {
  override readonly name = "Broken";
}

export function textBytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Lone surrogates can not come in as UTF-8; what is no UTF-8 becomes U+FFFD, as everywhere. */
export function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
