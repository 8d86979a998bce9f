import {
  createHash,
  createPrivateKey,
  createPublicKey,
  hash,
  hkdfSync,
  type KeyObject,
  sign,
  verify,
} from "node:crypto";

/** DER before the 32 bytes of an Ed25519 key (RFC 8410). */
const pkcs8Prefix = Buffer.from("302e020100300506032b657004220420", "hex");
const spkiPrefix = Buffer.from("302a300506032b6570032100", "hex");

export const keyBytes = 32;

/** An Ed25519 key pair from a secret seed of 32 bytes. */
export class SigningKey {
  readonly seed: Uint8Array;
  readonly publicKey: Uint8Array;
  readonly #private: KeyObject;

  constructor(seed: Uint8Array) {
    if (seed.length !== keyBytes) throw new RangeError("an Ed25519 seed has 32 bytes");
    this.seed = seed;
    this.#private = createPrivateKey({
      key: Buffer.concat([pkcs8Prefix, seed]),
      format: "der",
      type: "pkcs8",
    });
    const spki = createPublicKey(this.#private).export({ format: "der", type: "spki" });
    this.publicKey = new Uint8Array(spki.subarray(spkiPrefix.length));
  }

  sign(message: Uint8Array): Uint8Array {
    return new Uint8Array(sign(null, message, this.#private));
  }
}

/** Whether the signature is the key's over the message; false too for what is no key. */
export function isSignedBy(of: {
  publicKey: Uint8Array;
  message: Uint8Array;
  signature: Uint8Array;
}): boolean {
  if (of.publicKey.length !== keyBytes || of.signature.length !== 64) return false;
  try {
    return verify(null, of.message, keyObjectOf(of.publicKey), of.signature);
  } catch {
    // 32 bytes that are no point of the curve: nobody's key.
    return false;
  }
}

/** First 8 bytes of the key's SHA-256, hex: a hint for people and for DSSE's `keyid`. */
export function keyIdOf(publicKey: Uint8Array): string {
  return toHex(sha256(publicKey).subarray(0, 8));
}

/** A secret for one purpose, from a secret for many (HKDF-SHA-256, RFC 5869). */
export function deriveSecret(of: { secret: Uint8Array; purpose: string }): Uint8Array {
  return new Uint8Array(hkdfSync("sha256", of.secret, new Uint8Array(0), of.purpose, keyBytes));
}

/**
 * A number from 0 to 1, without 1, that a secret of fixed length gives to a text: random to who does
 * not know the secret. SHA-256 over both; nobody gets to see the digest, so that nothing can be
 * appended to what it is of.
 */
export function drawFraction(secret: Uint8Array, text: string): number {
  const digest = createHash("sha256").update(secret).update(text).digest();
  return digest.readUIntBE(0, 6) / 2 ** 48;
}

export function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  const [only] = parts;
  if (only !== undefined && parts.length === 1) return sha256OfOne(only);
  const whole = createHash("sha256");
  for (const part of parts) whole.update(part);
  return new Uint8Array(whole.digest());
}

/**
 * In one call, and as a text of a character for each byte: a buffer is memory of its own outside of the
 * heap, which takes three times as long to make as the digest itself, and has to be collected.
 */
function sha256OfOne(bytes: Uint8Array): Uint8Array {
  const text = hash("sha256", bytes, "binary");
  const digest = new Uint8Array(keyBytes);
  for (let i = 0; i < keyBytes; i++) digest[i] = text.charCodeAt(i);
  return digest;
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex");
}

export function fromHex(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, "hex"));
}

export function bytesEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a === b || (a.length === b.length && Buffer.compare(a, b) === 0);
}

/** Making a key object costs a third of a verification, and few keys verify most. */
const keyObjects = new Map<string, KeyObject>();
const keyObjectsMax = 256;

function keyObjectOf(publicKey: Uint8Array): KeyObject {
  const id = toHex(publicKey);
  const known = keyObjects.get(id);
  if (known !== undefined) return known;
  const made = createPublicKey({
    key: Buffer.concat([spkiPrefix, publicKey]),
    format: "der",
    type: "spki",
  });
  if (keyObjects.size >= keyObjectsMax) keyObjects.clear();
  keyObjects.set(id, made);
  return made;
}
