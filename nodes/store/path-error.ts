import { HeadwaterError } from "../error.ts";

/** Says what the file system has against a path, and what to do; `elsewhere` is a way out. */
export function pathError(of: { error: unknown; path: string; elsewhere: string }): HeadwaterError {
  const { error, path } = of;
  if (error instanceof HeadwaterError) return error;
  const { kind, message, mend } = explanation(error, path);
  const hint = `${mend}, or ${of.elsewhere}.`;
  return new HeadwaterError({ kind, message, hint, cause: error });
}

interface Explanation {
  readonly kind: "invalid" | "forbidden" | "unavailable";
  readonly message: string;
  readonly mend: string;
}

function explanation(error: unknown, path: string): Explanation {
  switch (errorCode(error)) {
    case "EEXIST":
    case "ENOTDIR":
      return {
        kind: "invalid",
        message: `${path} is, or is below, a file that is no directory`,
        mend: "Move that file away",
      };
    case "EACCES":
    case "EPERM":
      return {
        kind: "forbidden",
        message: `${path} can not be read and written by ${user()}`,
        mend: "Give it to the user that runs the node",
      };
    case "EISDIR":
      return {
        kind: "invalid",
        message: `${path} is a directory, where a file is wanted`,
        mend: "Move it away",
      };
    case "EROFS":
      return {
        kind: "unavailable",
        message: `${path} is on a disk that is read-only`,
        mend: "Mount it writable",
      };
    case "ENOSPC":
    case "EDQUOT":
      return {
        kind: "unavailable",
        message: `the disk that holds ${path} is full`,
        mend: "Free some space",
      };
    default: {
      const why = error instanceof Error ? error.message : String(error);
      return { kind: "unavailable", message: `${path} can not be used: ${why}`, mend: "Mend that" };
    }
  }
}

function errorCode(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}

function user(): string {
  const uid = process.getuid?.();
  return uid === undefined ? "this user" : `user ${uid}`;
}
