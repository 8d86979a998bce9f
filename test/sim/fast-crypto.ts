import crypto, { type KeyObject, type VerifyPublicKeyInput } from "node:crypto";
import { syncBuiltinESMExports } from "node:module";

/** Answers kept of each kind; past it all are forgotten. */
const answersMax = 100_000;

let isInstalled = false;

/**
 * Remembers, in this process, what signatures and derived secrets came to. A run checks the same
 * heads on every node and every run has the same keys, so that most of its time would go there.
 * The answers are those of the real functions: nothing else about the core changes.
 */
export function rememberCrypto(): void {
  if (isInstalled) return;
  isInstalled = true;
  const { verify, sign, hkdfSync, createPrivateKey } = crypto;
  const verified = new Map<string, boolean>();
  const signed = new Map<string, Buffer>();
  const derived = new Map<string, ArrayBuffer>();
  const made = new Map<string, KeyObject>();
  const keys = new WeakMap<object, number>();
  let keysCount = 0;
  const numberOf = (key: object): number => {
    const known = keys.get(key) ?? ++keysCount;
    keys.set(key, known);
    return known;
  };
  Object.assign(crypto, {
    verify: (
      algorithm: null,
      message: Uint8Array,
      key: KeyObject | VerifyPublicKeyInput,
      signature: Uint8Array,
    ): boolean => {
      const id = `${numberOf(key)} ${textOf(signature)} ${textOf(message)}`;
      return remembered(verified, id, () => verify(algorithm, message, key, signature));
    },
    /** Ed25519 has no randomness: the same message has the same signature. */
    sign: (algorithm: null, message: Uint8Array, key: KeyObject): Buffer => {
      const id = `${numberOf(key)} ${textOf(message)}`;
      return remembered(signed, id, () => sign(algorithm, message, key));
    },
    createPrivateKey: (of: { key: Buffer; format: "der"; type: "pkcs8" }): KeyObject =>
      remembered(made, textOf(of.key), () => createPrivateKey(of)),
    hkdfSync: (...of: Parameters<typeof hkdfSync>): ArrayBuffer => {
      const [digest, secret, salt, info, length] = of;
      if (!(secret instanceof Uint8Array) || typeof info !== "string") return hkdfSync(...of);
      const id = `${digest} ${textOf(secret)} ${info} ${length}`;
      return remembered(derived, id, () => hkdfSync(digest, secret, salt, info, length));
    },
  });
  syncBuiltinESMExports();
}

function remembered<T>(answers: Map<string, T>, id: string, work: () => T): T {
  const known = answers.get(id);
  if (known !== undefined) return known;
  const answer = work();
  if (answers.size >= answersMax) answers.clear();
  answers.set(id, answer);
  return answer;
}

function textOf({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString("latin1");
}
