import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { HeadwaterError } from "../error.ts";
import { syncDirectory } from "../sync-directory.ts";
import { pathError } from "./path-error.ts";

export interface Secret {
  readonly bytes: Uint8Array;
  /** The same in base64url, as it stands in the file. */
  readonly text: string;
  /** What its owner should look at: others can read it. */
  readonly problem: string | undefined;
}

/**
 * Reads a secret of so many bytes, in base64url, from a file; makes a random one where there is
 * none, readable by its owner only and durable before this returns.
 * @throws HeadwaterError `damaged` when the file holds something else, `forbidden`, `invalid` or
 *   `unavailable` when it can not be read or made
 */
export function readOrMakeSecret(of: { file: string; bytes: number }): Secret {
  try {
    if (statSync(of.file, { throwIfNoEntry: false }) === undefined) makeSecret(of);
    return readSecret(of);
  } catch (error) {
    throw pathError({ error, path: of.file, elsewhere: "name another file" });
  }
}

function readSecret({ file, bytes }: { file: string; bytes: number }): Secret {
  const text = readFileSync(file, "utf8").trim();
  const decoded = new Uint8Array(Buffer.from(text, "base64url"));
  // Node drops what is not base64url without a word, so only a full circle shows it.
  if (decoded.length !== bytes || Buffer.from(decoded).toString("base64url") !== text)
    throw new HeadwaterError({
      kind: "damaged",
      message: `${file} does not hold a secret of ${bytes} bytes in base64url`,
      hint: "Restore it from where it was copied; without the file a new one is made.",
    });
  return { bytes: decoded, text, problem: problemOf(file) };
}

function problemOf(file: string): string | undefined {
  const isShared = process.platform !== "win32" && (statSync(file).mode & 0o077) !== 0;
  return isShared ? `others can read the secret in ${file}: run chmod 600 on it` : undefined;
}

/** Linked into its place once it is whole: of two processes at once, one wins and both read it. */
function makeSecret({ file, bytes }: { file: string; bytes: number }): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const draft = `${file}.${random(8).toString("hex")}`;
  try {
    writeDurably(draft, `${random(bytes).toString("base64url")}\n`);
    linkUnlessThere(draft, file);
  } finally {
    rmSync(draft, { force: true });
  }
  syncDirectory(dirname(file));
}

function random(bytes: number): Buffer {
  return crypto.getRandomValues(Buffer.alloc(bytes));
}

function writeDurably(file: string, text: string): void {
  const descriptor = openSync(file, "wx", 0o600);
  try {
    writeSync(descriptor, text);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function linkUnlessThere(draft: string, file: string): void {
  try {
    linkSync(draft, file);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  }
}
