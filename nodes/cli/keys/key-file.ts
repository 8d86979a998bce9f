import { randomBytes } from "node:crypto";
import {
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import { quoted } from "../../../relay/quoted.ts";
import { keyBytes, SigningKey } from "../../../relay/trust/key.ts";
import { HeadwaterError } from "../../error.ts";
import { syncDirectory } from "../../sync-directory.ts";

export function newKey(): SigningKey {
  return new SigningKey(randomBytes(keyBytes));
}

/** `about` says whose it is, a line. */
export function keyFileText(key: SigningKey, about: string): string {
  return (
    `# Secret: ${about}.\n` +
    `# Its public key is ${formatPublicKey(key.publicKey)}.\n` +
    "# An Ed25519 seed, base64url. Keep it off every machine that does not sign with it.\n" +
    `${base64url(key.seed)}\n`
  );
}

/**
 * Reads what `keyFileText` writes.
 * @throws HeadwaterError `invalid` or `forbidden`; what is in the file is never shown
 */
export function readKeyFile(path: string): SigningKey {
  const lines = readSecretFile(path).split("\n");
  const [seed = "", ...rest] = lines.map((line) => line.trim()).filter(isContent);
  if (rest.length === 0 && /^[\w-]{43}$/.test(seed))
    return new SigningKey(new Uint8Array(Buffer.from(seed, "base64url")));
  throw new HeadwaterError({
    kind: "invalid",
    message: `${path}: not a key file`,
    hint: "It holds one line of 43 characters, as `headwater init` and `headwater keys generate` make it.",
  });
}

/** @throws HeadwaterError when it can not be read, or others than its owner may read it too */
export function readSecretFile(path: string): string {
  const text = readTextFile(path);
  // Windows has no such modes.
  if (process.platform !== "win32" && (statSync(path).mode & 0o077) !== 0)
    throw new HeadwaterError({
      kind: "forbidden",
      message: `${path}: others than its owner may read this secret`,
      hint: `Run \`chmod 600 ${path}\`, if nobody else has read it.`,
    });
  return text;
}

/** @throws HeadwaterError `invalid` */
export function readTextFile(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new HeadwaterError({
      kind: "invalid",
      message: `${path}: cannot be read`,
      hint: "Name a file that is there and that this user may read.",
      cause,
    });
  }
}

/** A new file for its owner's eyes, durable once this returns; one that is there is not replaced. */
export function writeSecretFile(path: string, text: string): void {
  writeNewFile(path, text, 0o600);
}

/** The same for what is no secret. */
export function writePublicFile(path: string, text: string): void {
  writeNewFile(path, text, 0o644);
}

function writeNewFile(path: string, text: string, mode: number): void {
  let file: number;
  try {
    file = openSync(path, "wx", mode);
  } catch (cause) {
    const isThere = cause instanceof Error && "code" in cause && cause.code === "EEXIST";
    throw new HeadwaterError({
      kind: isThere ? "conflict" : "forbidden",
      message: isThere ? `${path} is there already, and is not replaced` : `cannot write ${path}`,
      hint: isThere ? "Name a file that is not there." : "Name a file in a folder of this user.",
      cause,
    });
  }
  try {
    writeFileSync(file, text);
    fsyncSync(file);
    syncDirectory(dirname(path));
  } catch (cause) {
    rmSync(path);
    throw new HeadwaterError({ kind: "unavailable", message: `cannot write ${path}`, cause });
  } finally {
    closeSync(file);
  }
}

export function formatPublicKey(key: Uint8Array): string {
  return `ed25519:${base64url(key)}`;
}

/** @throws HeadwaterError `invalid` */
export function parsePublicKey(text: string, option: string): Uint8Array {
  const encoded = /^ed25519:([\w-]{43})$/.exec(text)?.[1];
  if (encoded !== undefined) return new Uint8Array(Buffer.from(encoded, "base64url"));
  throw new HeadwaterError({
    kind: "invalid",
    message: `${option}: ${quoted(text)} is no public key`,
    hint: "Write ed25519:… as `headwater keys show` and `headwater keys generate` print it.",
  });
}

export function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64url");
}

function isContent(line: string): boolean {
  return line !== "" && !line.startsWith("#");
}
