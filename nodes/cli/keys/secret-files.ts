import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { basename, dirname, join } from "node:path";
import type { Texts } from "../../config/settings.ts";
import { HeadwaterError } from "../../error.ts";
import { syncDirectory } from "../../sync-directory.ts";

/** Where an operator's secrets are: `$XDG_CONFIG_HOME/headwater`, or in `~/.config`. */
export function secretsDir(env: Texts): string {
  return join(env["XDG_CONFIG_HOME"] || join(homedir(), ".config"), "headwater");
}

/** What the names of secrets go on with while it is not known whether they are needed. */
export const pendingMark = "unconfirmed-";

/** Files that would have this name, had it become known that they are needed. */
export function pendingPathsOf(path: string): string[] {
  const directory = dirname(path);
  const names = existsSync(directory) ? readdirSync(directory) : [];
  const isPending = (name: string): boolean => name.startsWith(`${basename(path)}.${pendingMark}`);
  return names.filter(isPending).map((name) => join(directory, name));
}

/**
 * Files for their owner's eyes that are durable before it is known whether they are needed. Until
 * then they have names that are in nobody's way; they never replace a file.
 */
export class SecretFiles {
  readonly #files: readonly { readonly path: string; readonly pendingPath: string }[];

  /** @throws HeadwaterError `forbidden` when they can not be written; none is there then */
  constructor(texts: ReadonlyMap<string, string>, pendingSuffix: string) {
    this.#files = [...texts.keys()].map((path) => ({
      path,
      pendingPath: `${path}.${pendingSuffix}`,
    }));
    const written: string[] = [];
    for (const { path, pendingPath } of this.#files) {
      try {
        write(pendingPath, texts.get(path) ?? "");
        written.push(pendingPath);
      } catch (cause) {
        for (const one of written) rmSync(one);
        throw unwritable(pendingPath, cause);
      }
    }
  }

  get pendingPaths(): string[] {
    return this.#files.map(({ pendingPath }) => pendingPath);
  }

  /** They are needed: they get their names. */
  keep(): void {
    for (const { path, pendingPath } of this.#files) {
      try {
        linkSync(pendingPath, path);
        syncDirectory(dirname(path));
      } catch (cause) {
        throw new HeadwaterError({
          kind: "conflict",
          message: `cannot name ${path}`,
          hint: `The secret is in ${pendingPath}: move it to where it is safe.`,
          cause,
        });
      }
      rmSync(pendingPath);
    }
  }

  /** They are not. */
  discard(): void {
    for (const { pendingPath } of this.#files) rmSync(pendingPath, { force: true });
  }
}

/** @throws HeadwaterError `conflict` when one of them is there */
export function assertAbsent(paths: readonly string[]): void {
  const present = paths.find((path) => existsSync(path));
  if (present === undefined) return;
  throw new HeadwaterError({
    kind: "conflict",
    message: `${present} is there already, and is not replaced`,
    hint: "It was made by an earlier init: move it to where it is safe, then run this again.",
  });
}

function write(path: string, text: string): void {
  const made = mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  if (made !== undefined) syncDirectory(dirname(made));
  const file = openSync(path, "wx", 0o600);
  try {
    writeFileSync(file, text);
    fsyncSync(file);
    syncDirectory(dirname(path));
  } catch (thrown) {
    rmSync(path);
    throw thrown;
  } finally {
    closeSync(file);
  }
}

function unwritable(path: string, cause: unknown): HeadwaterError {
  return new HeadwaterError({
    kind: "forbidden",
    message: `cannot write ${path}`,
    hint: "Set XDG_CONFIG_HOME to a folder that this user may write to.",
    cause,
  });
}
