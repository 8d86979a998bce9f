import { HeadwaterError } from "../error.ts";
import { dataDirectoryError } from "./data-directory.ts";

/** Primary result codes, https://www.sqlite.org/rescode.html */
const sqlite = {
  busy: 5,
  readOnly: 8,
  ioError: 10,
  corrupt: 11,
  full: 13,
  cannotOpen: 14,
  tooBig: 18,
  notADatabase: 26,
} as const;

/** Where SQLite's own words would add nothing to ours. */
const saidWhole: ReadonlySet<number> = new Set([
  sqlite.busy,
  sqlite.readOnly,
  sqlite.full,
  sqlite.tooBig,
]);

/** Says what went wrong with a data directory, and what to do about it. */
export function storeError(error: unknown, directory: string): HeadwaterError {
  if (error instanceof HeadwaterError) return error;
  const code = sqliteCode(error);
  if (code === undefined) return dataDirectoryError(error, directory);
  const { kind, message, hint } = explanation(code, directory);
  const why = error instanceof Error ? error.message : String(error);
  return new HeadwaterError({
    kind,
    message: saidWhole.has(code) ? message : `${message} (SQLite: ${why})`,
    hint,
    cause: error,
  });
}

/** The low byte of an extended code is its primary one. */
function sqliteCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("errcode" in error)) return undefined;
  return Number(error.errcode) & 0xff;
}

function explanation(
  code: number,
  directory: string,
): ConstructorParameters<typeof HeadwaterError>[0] {
  switch (code) {
    case sqlite.busy:
      return {
        kind: "busy",
        message: `another node has its data in ${directory}`,
        hint: "Stop it, or give this one a directory of its own with HEADWATER_DATA_DIR.",
      };
    case sqlite.full:
      return {
        kind: "unavailable",
        message: `the disk that holds ${directory} is full`,
        hint: "Free some space: what was stored is safe, and the node goes on by itself.",
      };
    case sqlite.readOnly:
    case sqlite.cannotOpen:
      return {
        kind: "unavailable",
        message: `${directory} can not be written`,
        hint: "Make its files writable for the user that runs the node. Is the disk read-only?",
      };
    case sqlite.ioError:
      return {
        kind: "unavailable",
        message: `the disk that holds ${directory} does not work`,
        hint: "Look for its errors in the system's log (`dmesg`), and for quotas and limits.",
      };
    case sqlite.corrupt:
    case sqlite.notADatabase:
      return {
        kind: "damaged",
        message: `the database in ${directory} is damaged`,
        hint:
          "Move the directory away and restart: a node with an upstream fetches everything " +
          "again; the node that signs a project needs its backup.",
      };
    case sqlite.tooBig:
      return {
        kind: "limit",
        message: `a record is larger than the database in ${directory} takes`,
      };
    default:
      return { kind: "internal", message: `the database in ${directory} can not be used` };
  }
}
